import { expect, test } from 'vitest'
import { GroupTable } from '../../../engine/ofproto/group-table.ts'
import { parseGroup } from '../../../protocols/openflow/text/group-parse.ts'

function table(): { mod: (command: 'add' | 'modify', text: string) => string | undefined } {
  const groups = new GroupTable(0, { touch: () => {}, portLive: () => true })
  return {
    mod: (command, text) => {
      const changes = groups.changes(parseGroup(text, command), 0)
      if (typeof changes === 'string') return changes
      for (const { id, group } of changes) groups.set(id, group)
      return undefined
    },
  }
}

test('groups lead to others, to ones that are not there, and never to themselves', () => {
  const { mod } = table()
  expect(mod('add', 'group_id=1,type=all,bucket=output:1')).toBeUndefined()
  expect(mod('add', 'group_id=2,type=all,bucket=group:1')).toBeUndefined()
  expect(mod('add', 'group_id=3,type=all,bucket=group:9,bucket=group:2')).toBeUndefined()
  expect(mod('modify', 'group_id=1,type=all,bucket=group:3')).toBe('OFPGMFC_LOOP')
  expect(mod('modify', 'group_id=1,type=all,bucket=group:1')).toBe('OFPGMFC_LOOP')
  expect(mod('add', 'group_id=9,type=all,bucket=clone(group:3)')).toBe('OFPGMFC_LOOP')
  // What was refused has changed nothing.
  expect(mod('add', 'group_id=9,type=all,bucket=group:1')).toBeUndefined()
})
