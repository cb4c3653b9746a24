/** multipath and bundle: one of several links by a hash of the packet. */
import type { BundleAction, MultipathAction } from '../../../protocols/openflow/action.ts'
import { OFPP_NONE } from '../../../protocols/openflow/port.ts'
import { hashFields, hashTwoWords } from '../../flow/openflow-hash.ts'
import type { ActionContext } from '../action-context.ts'
import { writeSubfield } from './fields.ts'
import { lookAtHashFields } from './hash-bits.ts'
import { noteSubfield } from './note-subfield.ts'
import { outputAction } from './output.ts'

/** Links up to which highest random weight is worth its cost. */
const MAX_HRW = 64

export function multipath(ctx: ActionContext, action: MultipathAction): void {
  const { x } = ctx
  lookAtHashFields(x, action.fields)
  const link = chooseLink(action, hashFields(x.flow, action.fields, action.basis))
  writeSubfield(x, action.dst, link)
  noteSubfield(ctx, action.dst)
}

function chooseLink({ algorithm, links, arg }: MultipathAction, hash: number): number {
  switch (algorithm) {
    case 'modulo_n':
      return hash % links
    case 'hash_threshold':
      return links === 1 ? 0 : Math.floor(hash / (Math.floor(0xffff_ffff / links) + 1))
    case 'hrw':
      return links <= MAX_HRW ? highestWeight(hash, links) : iterate(hash, links, arg)
    case 'iter_hash':
      return iterate(hash, links, arg)
  }
}

function highestWeight(hash: number, links: number): number {
  let best = 0
  let weight = -1
  for (let link = 0; link < links; link++) {
    const w = hashTwoWords(hash, link)
    if (w > weight) {
      best = link
      weight = w
    }
  }
  return best
}

/** Hashes until the result is a link; `modulo` bounds how often. */
function iterate(hash: number, links: number, modulo: number): number {
  if (modulo < links || modulo / 2 > links) modulo = 2 ** Math.ceil(Math.log2(links))
  let h = hash
  for (let round = 1; ; round++) {
    h = hashTwoWords(h, round)
    const link = h % modulo
    if (link < links) return link
  }
}

export function bundle(ctx: ActionContext, action: BundleAction, last: boolean): void {
  const { x } = ctx
  const port = chooseMember(ctx, action)
  if (action.dst !== undefined) {
    writeSubfield(x, action.dst, port === OFPP_NONE ? 0xffff : port)
    noteSubfield(ctx, action.dst)
  } else outputAction(ctx, port, 0, last)
}

function chooseMember(ctx: ActionContext, { fields, basis, algorithm, members }: BundleAction): number {
  const alive = (ofport: number): boolean => ctx.bridge.portByNumber(ofport)?.live === true
  if (algorithm === 'active_backup') return members.find(alive) ?? OFPP_NONE
  const { x } = ctx
  lookAtHashFields(x, fields)
  const hash = hashFields(x.flow, fields, basis)
  let best = OFPP_NONE
  let weight = -1
  members.forEach((member, i) => {
    const w = hashTwoWords(i, hash)
    if (w <= weight || !alive(member)) return
    best = member
    weight = w
  })
  return best
}
