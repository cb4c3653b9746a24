import type { Path } from '../config-error.ts'
import type { VlanInput } from '../vlan-settings.ts'
import type { Loose, Reporter } from './reporter.ts'

/** What a port's VLAN keys say together must make sense (ovs-vswitchd.conf.db(5), Port table). */
export function checkVlan(vlan: Loose<VlanInput>, path: Path, report: Reporter): void {
  const { tag, trunks, vlanMode, cvlans } = vlan
  const at = (key: string) => [...path, key]
  const mode = vlanMode ?? (tag === undefined ? 'trunk' : 'access')
  if (vlanMode === undefined && tag !== undefined && trunks !== undefined) {
    report.value(
      at('trunks'),
      'no trunks beside a tag unless "vlanMode" is "native-tagged" or "native-untagged"',
    )
  } else if (trunks !== undefined && (mode === 'access' || mode === 'dot1q-tunnel')) {
    report.value(at('trunks'), `no trunks on a port of mode "${mode}"`)
  }
  if (mode === 'trunk' && tag !== undefined) {
    report.value(at('tag'), 'no tag on a port of mode "trunk" (of mode "native-untagged" it would have one)')
  }
  if (tag === undefined && (mode.startsWith('native') || mode === 'dot1q-tunnel')) {
    report.value(at('tag'), `a VLAN id from 0 to 4094, which mode "${mode}" needs`)
  }
  if (mode !== 'dot1q-tunnel') {
    if (cvlans !== undefined) report.value(at('cvlans'), 'no cvlans unless "vlanMode" is "dot1q-tunnel"')
    if (vlan.qinqEthertype !== undefined) {
      report.value(at('qinqEthertype'), 'no qinqEthertype unless "vlanMode" is "dot1q-tunnel"')
    }
  }
}
