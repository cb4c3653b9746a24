/** Flows of the datapath that somebody puts there by hand, past the tables of rules: for tests, as in Open vSwitch. */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  KEY_WORDS,
  W_RECIRC,
  W_TYPE,
} from '../protocols/flow-key.ts'
import { compileActions } from './actions/compile.ts'
import { ProgramBuilder } from './actions/program-builder.ts'
import type { MegaflowTable } from './classifier/megaflow-table.ts'
import type { Datapath } from './datapath.ts'
import { DpifError } from './dpif.ts'
import type { MegaflowPut } from './dpif-inspection.ts'

const NOTHING = new Uint32Array(0)
const HEADERS: readonly number[] = [ETH_IPV4, ETH_IPV6, ETH_ARP]

/** The flow that `value` belongs to by its own mask. */
export function exactFlow(flows: MegaflowTable, value: Uint32Array, mask: Uint32Array): number {
  for (let f = flows.next(0); f >= 0; f = flows.next(f + 1)) {
    if (same(flows.maskOf(f), mask) && same(flows.keyOf(f), value)) return f
  }
  return -1
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i])
}

/** Its key and mask as the table has them: only packets whose headers are what they seem belong to it. */
export function wordsOf({ value, mask }: { value: Uint32Array; mask: Uint32Array }): {
  value: Uint32Array
  mask: Uint32Array
} {
  const key = value.slice(0, KEY_WORDS)
  const bits = mask.slice(0, KEY_WORDS)
  if (HEADERS.includes((key[W_TYPE] & bits[W_TYPE]) >>> 16)) bits[W_TYPE] |= FLAG_BAD_L3 | FLAG_BAD_L4
  return { value: key, mask: bits }
}

/** @returns the flow @throws DpifError */
export function putMegaflow(dp: Datapath, put: MegaflowPut): number {
  const { flows, topology } = dp
  const { value, mask } = wordsOf(put)
  if (topology.frozen.get(value[W_RECIRC]) !== undefined) {
    throw new DpifError('EBUSY', 'the recirculation id is in use')
  }
  const old = flows.lookup(value)
  if (old >= 0 && !put.modify) throw new DpifError('EEXIST', 'there is such a flow')
  if (old < 0 && !put.create) throw new DpifError('ENOENT', 'there is no such flow')
  const program = new ProgramBuilder()
  // One that is there keeps what it matches.
  const [key, bits] = old < 0 ? [value, mask] : [flows.keyOf(old).slice(), flows.maskOf(old).slice()]
  const unfit = compileActions(put.actions, key, bits, program)
  if (unfit !== undefined) throw new DpifError('EINVAL', unfit)
  const before = old < 0 ? undefined : flows.records.counts(old)
  if (old >= 0) flows.remove(old)
  // It depends on nothing: it goes when it is not used, or when all do.
  const f = flows.insert(key, bits, program.code, program.length, NOTHING, NOTHING, 0, dp.now)
  if (f < 0) throw new DpifError('ENOSPC', 'there is no room for the flow')
  if (before !== undefined) flows.records.setCounts(f, before)
  return f
}
