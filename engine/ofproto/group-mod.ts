/** Carries group-mods out (OpenFlow 1.5.1 §6.7), as Open vSwitch does. */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { GroupMod } from '../../protocols/openflow/group.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Bundle } from './bundle.ts'
import type { FlowTables } from './flow-tables.ts'
import type { GroupTable } from './group-table.ts'

/** Carries one out as part of a bundle, or tells why not and changes nothing. Rules go with the group they name. */
export function applyGroupMod(
  { tables, groups }: { readonly tables: FlowTables; readonly groups: GroupTable },
  bundle: Bundle,
  mod: GroupMod,
  now: Instant,
): OfErrorName | undefined {
  const changes = groups.changes(mod, now)
  if (typeof changes === 'string') return changes
  for (const { id, group } of changes) {
    if (group !== undefined) continue
    for (const rule of tables.uses.ofGroup(id)) bundle.remove(rule, 'group_delete')
  }
  for (const change of changes) bundle.setGroup(groups, change)
  return undefined
}
