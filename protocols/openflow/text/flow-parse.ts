/** Flows from text: `priority=10,tcp,nw_dst=10.0.0.1 actions=output:2`, as ovs-ofctl add-flow reads them. */

import { checkActions } from '../action-check.ts'
import {
  COOKIE_UNCHANGED,
  FF_CHECK_OVERLAP,
  FF_NO_BYT_COUNTS,
  FF_NO_PKT_COUNTS,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
  type FlowMod,
  type FlowModCommand,
  newFlowMod,
  OFPG_ANY,
} from '../flow-mod.ts'
import type { FlowStatsRequest } from '../flow-stats.ts'
import { parseActions } from './action-parse.ts'
import { MatchParser } from './match-parse.ts'
import { type NameMaps, parsePort, parseTable } from './names.ts'
import { FlowSyntaxError, keyValues, parseUint, parseUint64, syntaxError } from './scan.ts'

const FLAGS: Readonly<Record<string, number>> = {
  send_flow_rem: FF_SEND_FLOW_REM,
  check_overlap: FF_CHECK_OVERLAP,
  reset_counts: FF_RESET_COUNTS,
  no_packet_counts: FF_NO_PKT_COUNTS,
  no_byte_counts: FF_NO_BYT_COUNTS,
}

/** What dump-flows prints and add-flow passes over. */
const IGNORED: ReadonlySet<string> = new Set([
  'no_readonly_table',
  'allow_hidden_fields',
  'duration',
  'n_packets',
  'n_bytes',
  'idle_age',
  'hard_age',
])

/** 'find': a request for flows, with neither actions nor timeouts. */
type Purpose = FlowModCommand | 'find'

function group(s: string): number {
  const lower = s.toLowerCase()
  if (lower === 'any') return OFPG_ANY
  if (lower === 'all') return 0xffff_fffc
  return parseUint(s, 32, 'group')
}

class FlowParser {
  readonly fm: FlowMod
  private readonly match: MatchParser
  private readonly purpose: Purpose
  private readonly names: NameMaps | undefined
  private readonly adds: boolean

  constructor(purpose: Purpose, names: NameMaps | undefined) {
    this.purpose = purpose
    this.names = names
    this.match = new MatchParser(names)
    this.adds = purpose === 'add' || purpose === 'modify' || purpose === 'modify_strict'
    const modifies = purpose === 'modify' || purpose === 'modify_strict'
    this.fm = newFlowMod({
      command: purpose === 'find' ? 'add' : purpose,
      newCookie: modifies ? COOKIE_UNCHANGED : 0n,
    })
  }

  parse(text: string): void {
    let actions: string | undefined
    if (this.adds) {
      const m = /action[^=]*=/.exec(text)
      if (m === null) throw new FlowSyntaxError('must specify an action')
      actions = text.slice(m.index + m[0].length)
      text = text.slice(0, m.index)
    }
    for (const [key, value] of keyValues(text)) this.take(key, value)
    const { fm } = this
    fm.match = this.match.finish()
    if (fm.cookieMask === 0n && fm.newCookie === COOKIE_UNCHANGED) fm.newCookie = 0n
    if (actions === undefined) return
    fm.actions = parseActions(actions, this.names)
    const refused = checkActions(fm.actions, fm.match, { table: fm.table })
    if (refused !== undefined) syntaxError(`actions are invalid with specified match (${refused.error})`)
  }

  private take(key: string, value: string): void {
    if (this.adds && Object.hasOwn(FLAGS, key)) this.fm.flags |= FLAGS[key]
    else if (!IGNORED.has(key) && !this.match.take(key, value)) {
      if (value === '') syntaxError(`field ${key} missing value`)
      this.property(key, value)
    }
  }

  private property(key: string, value: string): void {
    const { fm, adds, purpose } = this
    if (key === 'table') fm.table = parseTable(value, this.names) ?? syntaxError(`unknown table "${value}"`)
    else if (key === 'cookie') this.cookie(value)
    else if (!adds && key === 'out_port') {
      fm.outPort = parsePort(value, this.names) ?? syntaxError(`${value} is not a valid OpenFlow port`)
    } else if (!adds && key === 'out_group') fm.outGroup = group(value)
    else if ((adds || purpose === 'delete_strict') && key === 'priority')
      fm.priority = parseUint(value, 16, key)
    else if (adds && key === 'idle_timeout') fm.idleTimeout = parseUint(value, 16, key)
    else if (adds && key === 'hard_timeout') fm.hardTimeout = parseUint(value, 16, key)
    else if (purpose === 'add' && key === 'importance') fm.importance = parseUint(value, 16, key)
    else syntaxError(`unknown keyword ${key}`)
  }

  private cookie(value: string): void {
    const { fm } = this
    const [cookie, mask] = value.split('/')
    if (mask !== undefined) {
      if (this.purpose === 'add') syntaxError('flow additions cannot use a cookie mask')
      fm.cookie = parseUint64(cookie, 'cookie')
      fm.cookieMask = parseUint64(mask, 'cookie mask')
    } else {
      if (!this.adds) {
        syntaxError(`cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=${value}/-1)`)
      }
      fm.newCookie = parseUint64(cookie, 'cookie')
      fm.modifyCookie = true
    }
  }
}

/** A flow for `command`. Throws FlowSyntaxError. */
export function parseFlow(text: string, command: FlowModCommand = 'add', names?: NameMaps): FlowMod {
  const p = new FlowParser(command, names)
  p.parse(text)
  return p.fm
}

const COMMANDS = ['add', 'delete', 'delete_strict', 'modify', 'modify_strict'] as const

/** A line of a file of flows, which may begin with its command: `modify_strict …`. */
export function parseFlowLine(text: string, names?: NameMaps, otherwise: FlowModCommand = 'add'): FlowMod {
  const trimmed = text.trimStart()
  const word = /^[^, \t\r\n]*/.exec(trimmed)![0]
  const command = COMMANDS.find((c) => c === word)
  return command === undefined
    ? parseFlow(trimmed, otherwise, names)
    : parseFlow(trimmed.slice(word.length), command, names)
}

/** What dump-flows and dump-aggregate ask for: `table=1,tcp,out_port=2`. */
export function parseFlowRequest(text: string, names?: NameMaps): FlowStatsRequest {
  const p = new FlowParser('find', names)
  p.parse(text)
  const { match, table, outPort, outGroup, cookie, cookieMask } = p.fm
  return { match, table, outPort, outGroup, cookie, cookieMask }
}
