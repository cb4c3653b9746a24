/** Which tunnel options rules depend on. */

import { W_TUN_PRESENT } from '../../protocols/flow-key.ts'
import type { OfAction, Subfield } from '../../protocols/openflow/action.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { MiniMatch } from '../classifier/mini-match.ts'
import type { FlowTables } from './flow-tables.ts'
import { type TlvTable, tunnelOption } from './tlv-table.ts'

/** Why actions cannot be carried out with the options there are, if they cannot. */
export function optionsRefusal(tlv: TlvTable, actions: readonly OfAction[]): OfErrorName | undefined {
  let error: OfErrorName | undefined
  everyField(actions, (id, end) => {
    if (tunnelOption(id) < 0) return
    const field = tlv.fields[id]
    if (field.variable) error ??= 'NXFMFC_INVALID_TLV_FIELD'
    else if (end > field.bits) error ??= 'OFPBAC_BAD_SET_LEN'
  })
  return error
}

/** Whether any rule matches on an option or does something with it. */
export function optionUsed(tables: FlowTables, index: number): boolean {
  for (const table of tables.used()) {
    for (const rule of table.classifier.rules()) {
      if (matchesOn(rule.miniMatch, index)) return true
      let found = false
      everyField(rule.actions, (id) => {
        if (tunnelOption(id) === index) found = true
      })
      if (found) return true
    }
  }
  return false
}

function matchesOn({ mask }: MiniMatch, index: number): boolean {
  return ((mask[W_TUN_PRESENT + (index >>> 5)] >>> (index & 31)) & 1) === 1
}

/** Calls with every field that actions name, and with the highest bit of it that they use, plus one. */
function everyField(actions: readonly OfAction[], visit: (field: number, end: number) => void): void {
  const sub = (s: Subfield | undefined): void => {
    if (s !== undefined) visit(s.field, s.ofs + s.nBits)
  }
  for (const a of actions) {
    switch (a.type) {
      case 'set_field':
      case 'delete_field':
        visit(a.field, 0)
        break
      case 'push':
      case 'pop':
        sub(a.subfield)
        break
      case 'move':
        sub(a.src)
        sub(a.dst)
        break
      case 'learn':
        for (const spec of a.specs) {
          if ('src' in spec) sub(spec.src)
          if ('dst' in spec) sub(spec.dst)
        }
        break
      case 'write_actions':
      case 'clone':
        everyField(a.actions, visit)
        break
      default:
        if ('dst' in a) sub(a.dst)
        else if ('src' in a) sub(a.src as Subfield)
    }
  }
}
