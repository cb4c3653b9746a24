/** Which bits of a flow its hashes look at. */
import {
  ETH_IPV4,
  ETH_IPV6,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../../protocols/flow-key.ts'
import type { HashFields } from '../../../protocols/openflow/action.ts'
import type { Xlate } from '../xlate.ts'

const ALL = 0xffffffff

function lookAtAddress(x: Xlate, ipv4: number, ipv6: number): void {
  const type = x.flow[W_TYPE] >>> 16
  if (type === ETH_IPV4) x.look(ipv4, ALL)
  else if (type === ETH_IPV6) for (let i = 0; i < 4; i++) x.look(ipv6 + i, ALL)
}

export function lookAtHashFields(x: Xlate, fields: HashFields): void {
  x.look(W_TYPE, 0xffff0000)
  if (fields === 'eth_src' || fields === 'symmetric_l4') {
    x.look(W_DL_MIX, fields === 'eth_src' ? 0xffff : ALL)
    x.look(W_DL_SRC, ALL)
  }
  if (fields === 'eth_src') return
  if (fields !== 'nw_dst') lookAtAddress(x, W_NW_SRC, W_IPV6_SRC)
  if (fields !== 'nw_src') lookAtAddress(x, W_NW_DST, W_IPV6_DST)
  if (!fields.startsWith('symmetric_l3l4') && fields !== 'symmetric_l4') return
  if (fields === 'symmetric_l4') {
    x.look(W_DL_DST, ALL)
    x.look(W_VLAN, 0x0fff0fff)
  }
  const type = x.flow[W_TYPE] >>> 16
  if (type !== ETH_IPV4 && type !== ETH_IPV6) {
    // Then it is a hash of Ethernet's header.
    for (let w = W_DL_DST; w <= W_DL_SRC; w++) x.look(w, ALL)
    x.look(W_VLAN, 0x0fff0fff)
    return
  }
  x.look(W_NW, 0xff000000)
  const proto = x.flow[W_NW] >>> 24
  if (proto === 6 || proto === 132 || (proto === 17 && fields === 'symmetric_l3l4+udp')) x.look(W_TP, ALL)
}
