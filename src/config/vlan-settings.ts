import type { VlanSettings } from '../../engine/dpif.ts'

export const VLAN_MODES = ['access', 'trunk', 'native-tagged', 'native-untagged', 'dot1q-tunnel'] as const

/** The VLAN keys of an element as they stand in the file. */
export interface VlanInput {
  tag?: number | undefined
  trunks?: (number | undefined)[] | undefined
  vlanMode?: (typeof VLAN_MODES)[number] | undefined
  cvlans?: (number | undefined)[] | undefined
  priorityTags?: 'no' | 'if-nonzero' | 'always' | undefined
  qinqEthertype?: '802.1ad' | '802.1q' | undefined
}

export function vlanSettings(input: VlanInput): VlanSettings {
  const mode = input.vlanMode ?? (input.tag === undefined ? 'trunk' : 'access')
  const tag = input.tag ?? 0
  const trunks = new Set((input.trunks ?? []) as number[])
  // A native VLAN is always carried, whether the list names it or not.
  if (trunks.size > 0 && mode.startsWith('native')) trunks.add(tag)
  return {
    mode,
    tag,
    trunks: [...trunks].sort((a, b) => a - b),
    cvlans: [...new Set((input.cvlans ?? []) as number[])].sort((a, b) => a - b),
    priorityTags: input.priorityTags ?? 'no',
    qinqEthertype: input.qinqEthertype ?? '802.1ad',
  }
}
