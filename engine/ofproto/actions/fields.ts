/** set_field, load, move, write_metadata, delete_field: actions on fields by name. */
import { W_IN_PORT, W_METADATA, W_VLAN } from '../../../protocols/flow-key.ts'
import type { MetaFlowField } from '../../../protocols/meta-flow.ts'
import type { MoveAction, SetFieldAction, Subfield } from '../../../protocols/openflow/action.ts'
import { portFromOf10 } from '../../../protocols/openflow/port.ts'
import { prerequisitesHold } from '../../../protocols/openflow/prerequisites.ts'
import type { ActionContext } from '../action-context.ts'
import { fillSubfield, readBits, readSubfieldBits, writeBits, writeSubfieldBits } from '../flow-bits.ts'
import { clearPresent, setPresent, tunnelOption } from '../tlv-table.ts'
import type { Xlate } from '../xlate.ts'
import { noteSubfield } from './note-subfield.ts'
import { lookAtPrerequisites } from './prerequisite-bits.ts'
import { syncVlans } from './vlan.ts'

/** On its way from one subfield to another: as much as the widest field has, a tunnel option. */
const moved = new Uint32Array(32)
const MOVED_BITS = 32 * moved.length

/** Whether the packet has the field; the decision depends on what tells so. */
export function hasField(ctx: ActionContext, field: MetaFlowField, action: string): boolean {
  const { x } = ctx
  lookAtPrerequisites(x, field.prerequisite)
  if (prerequisitesHold(field, x.flow)) return true
  ctx.note(` >> unmet prerequisites for ${field.name}, ${action} ignored`)
  return false
}

/** Gives a field `value` where `mask` has 1s. */
export function setField(ctx: ActionContext, { field: id, value, mask }: SetFieldAction): void {
  const { x } = ctx
  const field = x.fields[id]
  // An option that has gone since is no field.
  if (field.variable || !hasField(ctx, field, 'set_field')) return
  const { at, width } = field
  const tags = x.flow[W_VLAN]
  // Bytes of the value lie against the end of the field, a word's worth at a time from there.
  for (let done = 0; done < value.length * 8 && done < width; done += 32) {
    const nBits = Math.min(32, width - done)
    const end = value.length - done / 8
    const v = wordBefore(value, end) >>> field.low
    const m = wordBefore(mask, end) >>> field.low
    const first = at + width - done - nBits
    writeBits(x.flow, first, nBits, ((readBits(x.flow, first, nBits) & ~m) | (v & m)) >>> 0)
    writeBits(x.wc, first, nBits, (readBits(x.wc, first, nBits) | m) >>> 0)
  }
  written(x, field, tags)
}

/**
 * A field was written in the flow's words, and the rest of the flow follows.
 * @param tags the word of VLAN tags as it was before
 */
export function written(x: Xlate, field: MetaFlowField, tags: number): void {
  if (x.flow[W_VLAN] !== tags) syncVlans(x, field)
  const option = tunnelOption(field.id)
  if (option >= 0) setPresent(x.flow, option)
  // The 16-bit form has reserved ports at another place.
  if (field.name === 'in_port') x.flow[W_IN_PORT] = portFromOf10(x.flow[W_IN_PORT] & 0xffff)
}

/** Up to four bytes that end before index `end`, as a number. */
function wordBefore(bytes: Uint8Array, end: number): number {
  let v = 0
  for (let i = Math.max(0, end - 4); i < end; i++) v = ((v << 8) | bytes[i]) >>> 0
  return v
}

export function move(ctx: ActionContext, { src, dst }: MoveAction): void {
  const { x } = ctx
  const from = x.fields[src.field]
  const to = x.fields[dst.field]
  if (from.variable || to.variable) return
  if (!hasField(ctx, from, 'move') || !hasField(ctx, to, 'move')) return
  const n = dst.nBits
  const tags = x.flow[W_VLAN]
  fillSubfield(x.wc, from, src.ofs, n)
  fillSubfield(x.wc, to, dst.ofs, n)
  readSubfieldBits(x.flow, from, src.ofs, n, moved, MOVED_BITS)
  writeSubfieldBits(x.flow, to, dst.ofs, n, moved, MOVED_BITS)
  written(x, to, tags)
  noteSubfield(ctx, dst)
}

/** Bits of a field as a number (of wider ones the lowest 32), which the decision depends on. */
export function readSubfield(x: Xlate, { field, ofs, nBits }: Subfield): number {
  const f = x.fields[field]
  fillSubfield(x.wc, f, ofs, nBits)
  readSubfieldBits(x.flow, f, ofs, nBits, moved, MOVED_BITS)
  const low = Math.min(32, nBits)
  return readBits(moved, MOVED_BITS - low, low)
}

/** Puts a number into bits of a field; those above its 32 become 0. */
export function writeSubfield(x: Xlate, { field, ofs, nBits }: Subfield, value: number): void {
  const f = x.fields[field]
  const tags = x.flow[W_VLAN]
  fillSubfield(x.wc, f, ofs, nBits)
  moved.fill(0)
  moved[moved.length - 1] = value
  writeSubfieldBits(x.flow, f, ofs, nBits, moved, MOVED_BITS)
  written(x, f, tags)
}

export function writeMetadata(x: Xlate, metadata: bigint, mask: bigint): void {
  for (let i = 0; i < 2; i++) {
    const shift = i === 0 ? 32n : 0n
    const v = Number((metadata >> shift) & 0xffff_ffffn)
    const m = Number((mask >> shift) & 0xffff_ffffn)
    x.flow[W_METADATA + i] = ((x.flow[W_METADATA + i] & ~m) | (v & m)) >>> 0
  }
}

/** Takes a tunnel option off the packet. */
export function deleteField(ctx: ActionContext, id: number): void {
  const { flow, fields } = ctx.x
  const field = fields[id]
  const option = tunnelOption(id)
  if (field.variable || option < 0) return
  flow.fill(0, field.at >>> 5, (field.at + field.width) >>> 5)
  clearPresent(flow, option)
}
