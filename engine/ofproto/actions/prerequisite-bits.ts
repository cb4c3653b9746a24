/** Which bits of a flow tell whether a packet has a field. */
import {
  FLAG_LATER,
  VLAN_PRESENT,
  W_CT_STATE,
  W_NW,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../../protocols/flow-key.ts'
import type { Prerequisite } from '../../../protocols/meta-flow.ts'
import type { Xlate } from '../xlate.ts'

const TYPE = 0xffff0000
const PROTOCOL = 0xff000000

/** Notes that the decision depends on whether a packet meets a prerequisite. */
export function lookAtPrerequisites(x: Xlate, prerequisite: Prerequisite): void {
  switch (prerequisite) {
    case 'none':
    case 'ethernet':
      return
    case 'vlan':
      x.look(W_VLAN, VLAN_PRESENT << 16)
      return
    case 'arp':
    case 'ipv4':
    case 'ipv6':
    case 'ip':
    case 'mpls':
    case 'nsh':
      x.look(W_TYPE, TYPE)
      return
    case 'ct':
      x.look(W_CT_STATE, 0xffffffff)
      return
    case 'nd':
    case 'nd_solicit':
    case 'nd_advert':
      x.look(W_TP, 0xffffffff)
  }
  x.look(W_TYPE, TYPE | FLAG_LATER)
  x.look(W_NW, PROTOCOL)
}
