import { choice, integer, list } from './fields.ts'
import { VLAN_MODES } from './vlan-settings.ts'

/**
 * VLANs of a port, with the meanings of the Port table of ovs-vswitchd.conf.db(5). The keys stand wherever a
 * port is implied: on a port, on the interface of a host or router, on a bridge (for its own address).
 */

const vid = (description: string, examples: readonly unknown[]) =>
  integer(0, 4094, 'a VLAN id', { description, examples })

export const vlanShape = () => ({
  tag: vid(
    'VLAN of an access port, native VLAN of a native-tagged or native-untagged port, service VLAN of a dot1q-tunnel port.',
    [10],
  ).optional(),
  trunks: list(vid('A VLAN id.', [10]), 'VLAN ids', {
    description:
      'VLANs that a trunk, native-tagged or native-untagged port carries; all of them when absent.',
    examples: [[10, 20]],
  }).optional(),
  vlanMode: choice(VLAN_MODES, {
    description:
      'What the port does with VLANs. When absent: "access" if there is a tag, otherwise "trunk". Native modes are trunks whose tag is the VLAN of untagged frames; native-tagged sends that VLAN with a tag, native-untagged without. dot1q-tunnel puts the service tag around whatever comes.',
    examples: ['native-untagged'],
  }).optional(),
  cvlans: list(vid('A VLAN id.', [100]), 'VLAN ids', {
    description: 'Customer VLANs that a dot1q-tunnel port accepts; all of them when absent.',
    examples: [[100, 200]],
  }).optional(),
  priorityTags: choice(['no', 'if-nonzero', 'always'], {
    description: 'Whether frames of VLAN 0 leave an access port with an 802.1p header.',
    default: 'no',
  }).optional(),
  qinqEthertype: choice(['802.1ad', '802.1q'], {
    description: 'TPID of the service tag of a dot1q-tunnel port.',
    default: '802.1ad',
  }).optional(),
})
