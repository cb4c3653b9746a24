/**
 * encap and decap: headers in front of the whole packet, which make it one of another type (ovs-actions(7), and
 * "packet_type" of ovs-fields(7)). Ports take Ethernet only; packets of other types are for further actions.
 */
import {
  ETH_IPV4,
  ETH_IPV6,
  ETH_MPLS,
  ETH_MPLS_MULTICAST,
  ETH_NSH,
  KEY_WORDS,
  PT_ETHERNET,
  PT_ETHERTYPE,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_NSH,
  W_NSH_PATH,
  W_PACKET_TYPE,
  W_TYPE,
  W_VLAN,
} from '../../../protocols/flow-key.ts'
import type { EncapAction } from '../../../protocols/openflow/action.ts'
import { ENCAP_MD_TYPE, ENCAP_TLV } from '../../../protocols/openflow/text/action-format.ts'
import * as nsh from '../../../protocols/wire/nsh.ts'
import { DROP_PACKET_TYPE } from '../../drops.ts'
import type { ActionContext } from '../action-context.ts'
import type { Xlate } from '../xlate.ts'
import { sendToController } from './controller.ts'
import { popLabel, pushLabel } from './mpls.ts'

const PT_NSH = PT_ETHERTYPE | ETH_NSH
const NSH_TTL = 63
/** Service path 0, index 255. */
const NSH_PATH = 255
/** Transparent Ethernet bridging: the type that says Ethernet. */
const ETH_TEB = 0x6558
const TTL_SHIFT = 16
const FLAGS = 0xffff

const NEXT_PROTOCOL: ReadonlyMap<number, number> = new Map([
  [PT_ETHERNET, nsh.NP_ETHERNET],
  [PT_ETHERTYPE | ETH_IPV4, nsh.NP_IPV4],
  [PT_ETHERTYPE | ETH_IPV6, nsh.NP_IPV6],
  [PT_NSH, nsh.NP_NSH],
])

/** The translation ends: packets of this type cannot be treated so. */
function unsupported(ctx: ActionContext, why: string): void {
  ctx.note(`Dropping packet${why}`)
  ctx.x.fail('Unsupported packet type', undefined, DROP_PACKET_TYPE)
}

function typeText(packetType: number): string {
  return `(${packetType >>> 16},0x${(packetType & 0xffff).toString(16)})`
}

export function encap(ctx: ActionContext, action: EncapAction): void {
  const { x } = ctx
  // What is behind the new header can no longer be changed.
  x.commit()
  x.look(W_TYPE, ~FLAGS)
  if (action.packetType === PT_ETHERNET) encapEthernet(ctx)
  else if (action.packetType === PT_NSH) encapNsh(ctx, action)
  else encapMpls(x, action.packetType)
  x.irreversible++
}

function encapEthernet(ctx: ActionContext): void {
  const { x } = ctx
  if (x.flow[W_PACKET_TYPE] === PT_ETHERNET) {
    unsupported(ctx, ' as encap(ethernet) is not supported for packet type ethernet.')
    return
  }
  x.flow[W_PACKET_TYPE] = PT_ETHERNET
  forgetAddresses(x.flow)
  x.pending = { header: 'push_eth' }
}

function encapNsh(ctx: ActionContext, action: EncapAction): void {
  const { x } = ctx
  const { flow } = x
  const nextProtocol = NEXT_PROTOCOL.get(flow[W_PACKET_TYPE])
  if (nextProtocol === undefined) {
    unsupported(ctx, ` as encap(nsh) is not supported for packet type ${typeText(flow[W_PACKET_TYPE])}`)
    return
  }
  const { mdType, tlvs } = context(action)
  flow.fill(0, W_DL_DST, KEY_WORDS)
  x.setVlans(undefined)
  flow[W_PACKET_TYPE] = PT_NSH
  flow[W_TYPE] = (ETH_NSH << 16) >>> 0
  flow[W_NSH] = (NSH_TTL << TTL_SHIFT) | (mdType << 8) | nextProtocol
  flow[W_NSH_PATH] = NSH_PATH
  x.pending = { header: 'push_nsh', tlvs }
}

/** MD type 1 unless another is named; only MD type 2 has TLVs. More of them than fit are none, as in Open vSwitch. */
function context({ properties }: EncapAction): { mdType: number; tlvs: Uint8Array } {
  const mdType = properties.filter((p) => p.type === ENCAP_MD_TYPE).at(-1)?.data[0] ?? 1
  const list = properties
    .filter((p) => p.type === ENCAP_TLV)
    .map(({ data }) => ({
      class: (data[0] << 8) | data[1],
      type: data[2],
      data: data.subarray(4, 4 + data[3]),
    }))
  const length = nsh.tlvsLength(list)
  if (mdType !== 2 || length > nsh.LENGTH_MAX - nsh.BASE_LEN) return { mdType, tlvs: new Uint8Array(0) }
  const tlvs = new Uint8Array(length)
  nsh.emitTlvs(list, tlvs, 0)
  return { mdType, tlvs }
}

function encapMpls(x: Xlate, packetType: number): void {
  if (!pushLabel(x, packetType & 0xffff, false)) return
  x.setVlans(undefined)
  x.flow[W_PACKET_TYPE] = packetType
  forgetAddresses(x.flow)
  x.pending = { header: 'add_mpls' }
}

/** @param packetType what is behind the header, where that does not say so itself */
export function decap(ctx: ActionContext, packetType: number): void {
  const { x } = ctx
  const { flow } = x
  x.commit()
  const type = flow[W_PACKET_TYPE]
  if (type === PT_ETHERNET) decapEthernet(ctx)
  else if (type === PT_NSH) decapNsh(ctx)
  else if (type === (PT_ETHERTYPE | ETH_MPLS) || type === (PT_ETHERTYPE | ETH_MPLS_MULTICAST)) {
    decapMpls(ctx, packetType)
  } else unsupported(ctx, ` as the decap() does not support packet type ${typeText(type)}`)
  x.irreversible++
}

function decapEthernet(ctx: ActionContext): void {
  const { x } = ctx
  const { flow } = x
  x.look(W_VLAN, 0xffff_0000)
  if (x.vlans !== undefined) {
    unsupported(ctx, ', cannot decap Ethernet if VLAN is present.')
    return
  }
  x.look(W_TYPE, ~FLAGS)
  flow[W_PACKET_TYPE] = PT_ETHERTYPE | (flow[W_TYPE] >>> 16)
  forgetAddresses(flow)
  x.pending = { header: 'pop_eth' }
}

function decapNsh(ctx: ActionContext): void {
  const { x } = ctx
  const { flow } = x
  x.look(W_NSH, 0xff)
  const np = flow[W_NSH] & 0xff
  for (const [type, protocol] of NEXT_PROTOCOL) {
    if (protocol !== np) continue
    flow[W_PACKET_TYPE] = type
    x.pending = { header: 'pop_nsh' }
    ctx.frozen = []
    return
  }
  unsupported(ctx, ` as NSH next protocol ${np} is not supported`)
}

function decapMpls(ctx: ActionContext, packetType: number): void {
  const { x } = ctx
  const type = (packetType & 0xffff) === 0 ? ETH_TEB : packetType & 0xffff
  const bottom = popLabel(x, type)
  if (bottom === undefined) return
  x.flow[W_PACKET_TYPE] = type === ETH_TEB ? PT_ETHERNET : PT_ETHERTYPE | type
  x.pending = { header: 'pop_label' }
  if (bottom) ctx.frozen = []
}

function forgetAddresses(flow: Uint32Array): void {
  flow[W_DL_DST] = 0
  flow[W_DL_MIX] = 0
  flow[W_DL_SRC] = 0
}

/** @returns whether the TTL ran out, and with it the actions of this table */
export function decNshTtl(ctx: ActionContext): boolean {
  const { x } = ctx
  x.look(W_TYPE, ~FLAGS)
  if (x.flow[W_TYPE] >>> 16 !== ETH_NSH) return false
  x.look(W_NSH, 0x3f << TTL_SHIFT)
  if (((x.flow[W_NSH] >>> TTL_SHIFT) & 0x3f) > 1) {
    x.flow[W_NSH] = x.flow[W_NSH] - (1 << TTL_SHIFT)
    return false
  }
  sendToController(ctx, { reason: 'invalid_ttl', maxLen: 0xffff })
  return true
}
