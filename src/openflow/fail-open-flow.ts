import { type FlowMod, newFlowMod } from '../../protocols/openflow/flow-mod.ts'
import { OFPP_NORMAL } from '../../protocols/openflow/port.ts'

/** "failopen": by its cookie the flow of a bridge without controllers is found again. */
const COOKIE = 0x6661_696c_6f70_656en
const ALL_ONES = 0xffff_ffff_ffff_ffffn

/** Makes a bridge without controllers a learning switch, or no longer. */
export function failOpenFlow(command: 'add' | 'delete_strict'): FlowMod {
  return newFlowMod({
    command,
    priority: 0,
    table: 0,
    cookie: COOKIE,
    cookieMask: command === 'add' ? 0n : ALL_ONES,
    newCookie: COOKIE,
    actions: [{ type: 'output', port: OFPP_NORMAL, maxLen: 0 }],
  })
}
