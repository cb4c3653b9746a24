import { type FlowMod, NO_BUFFER, OFPG_ANY } from '../../protocols/openflow/flow-mod.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'
import { OFPP_ANY, OFPP_NORMAL } from '../../protocols/openflow/port.ts'

/** "failopen": by its cookie the flow of a bridge without controllers is found again. */
const COOKIE = 0x6661_696c_6f70_656en
const ALL_ONES = 0xffff_ffff_ffff_ffffn

/** Makes a bridge without controllers a learning switch, or no longer. */
export function failOpenFlow(command: 'add' | 'delete_strict'): FlowMod {
  return {
    command,
    match: emptyMatch(),
    priority: 0,
    table: 0,
    cookie: COOKIE,
    cookieMask: command === 'add' ? 0n : ALL_ONES,
    newCookie: COOKIE,
    modifyCookie: false,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP_ANY,
    outGroup: OFPG_ANY,
    flags: 0,
    actions: [{ type: 'output', port: OFPP_NORMAL, maxLen: 0 }],
  }
}
