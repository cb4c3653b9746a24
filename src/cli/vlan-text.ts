import type { VlanSettings } from '../../engine/dpif.ts'

/** A port's VLANs in a few characters: "10", "trunk", "trunk 10,20", "native-untagged 10 of 10,20". */
export function vlanText(vlan: VlanSettings): string {
  const list = vlan.trunks.join(',')
  switch (vlan.mode) {
    case 'access':
      return String(vlan.tag)
    case 'trunk':
      return list === '' ? 'trunk' : `trunk ${list}`
    case 'dot1q-tunnel':
      return `dot1q-tunnel ${vlan.tag}`
    default:
      return `${vlan.mode} ${vlan.tag}${list === '' ? '' : ` of ${list}`}`
  }
}
