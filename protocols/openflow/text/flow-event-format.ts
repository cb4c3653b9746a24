/** What switches tell of rules and packets unasked: flow-removed, flow monitor updates, packet-ins; and flow-mods. */

import { COOKIE_UNCHANGED, type FlowMod, NO_BUFFER, OFPG_ANY } from '../flow-mod.ts'
import { FLOW_REMOVED_REASONS, type FlowRemoved } from '../flow-removed.ts'
import { matchInPort } from '../match.ts'
import type { FlowUpdate } from '../monitor.ts'
import { NO_COOKIE, type PacketIn } from '../packet-in.ts'
import type { PacketOut } from '../packet-out.ts'
import { OFPP_NONE } from '../port.ts'
import { formatActions } from './action-format.ts'
import { formatDuration, formatFlowFlags } from './flow-format.ts'
import { formatMatch } from './match-format.ts'
import { formatPort, formatTable, type NameMaps } from './names.ts'
import { formatHash, formatHexBytes } from './scan.ts'

const COMMANDS: Readonly<Record<FlowMod['command'], string>> = {
  add: 'ADD',
  modify: 'MOD',
  modify_strict: 'MOD_STRICT',
  delete: 'DEL',
  delete_strict: 'DEL_STRICT',
}

export function formatFlowMod(m: FlowMod, names?: NameMaps): string {
  const table = m.table === 0xff || m.table === 0 ? '' : ` table:${formatTable(m.table, names)}`
  const match = formatMatch(m.match, names, m.priority)
  const parts = match === '' ? [] : [match]
  if (m.newCookie !== 0n && m.newCookie !== COOKIE_UNCHANGED)
    parts.push(`cookie:0x${m.newCookie.toString(16)}`)
  if (m.cookieMask !== 0n) parts.push(`cookie:0x${m.cookie.toString(16)}/0x${m.cookieMask.toString(16)}`)
  if (m.idleTimeout !== 0) parts.push(`idle:${m.idleTimeout}`)
  if (m.hardTimeout !== 0) parts.push(`hard:${m.hardTimeout}`)
  if (m.importance !== 0) parts.push(`importance:${m.importance}`)
  if (m.bufferId !== NO_BUFFER) parts.push(`buf:0x${m.bufferId.toString(16)}`)
  if (m.outPort !== OFPP_NONE) parts.push(`out_port:${formatPort(m.outPort, names)}`)
  if (m.outGroup !== OFPG_ANY) parts.push(`out_group:${m.outGroup}`)
  const flags = formatFlowFlags(m.flags).trimEnd()
  if (flags !== '') parts.push(flags)
  parts.push(`actions=${formatActions(m.actions, names)}`)
  return ` ${COMMANDS[m.command]}${table} ${parts.join(' ')}`
}

/** `showTable`: the message says which table the rule was in. */
export function formatFlowRemoved(r: FlowRemoved, showTable: boolean, names?: NameMaps): string {
  let s = ` ${formatMatch(r.match, names, r.priority)} reason=${r.reason}`
  if (showTable) s += ` table_id=${formatTable(r.table, names)}`
  if (r.cookie !== 0n) s += ` cookie:0x${r.cookie.toString(16)}`
  s += ` duration${formatDuration(r.durationSec, r.durationNsec)} idle${r.idleTimeout}`
  if (r.hardTimeout !== 0) s += ` hard${r.hardTimeout}`
  return `${s} pkts${r.packetCount ?? '?'} bytes${r.byteCount ?? '?'}`
}

/** One line, with the blank that monitor begins it with. */
export function formatFlowUpdate(u: FlowUpdate, names?: NameMaps): string {
  if (u.event === 'abbrev') return ` event=ABBREV xid=0x${u.xid.toString(16)}`
  let s = ` event=${u.event.toUpperCase()}`
  if (!('match' in u)) return s
  if (u.reason !== undefined) s += ` reason=${FLOW_REMOVED_REASONS[u.reason] ?? u.reason}`
  s += ` table=${formatTable(u.table, names)}`
  if (u.idleTimeout !== 0) s += ` idle_timeout=${u.idleTimeout}`
  if (u.hardTimeout !== 0) s += ` hard_timeout=${u.hardTimeout}`
  s += ` cookie=${formatHash(u.cookie)} `
  const match = formatMatch(u.match, names)
  if (match !== '') s += `${match} `
  return u.actions.length === 0 ? s : `${s}actions=${formatActions(u.actions, names)}`
}

/** The lines of a packet-in; `packetText` describes the packet in it, where somebody can. */
export function formatPacketIn(
  p: PacketIn,
  names?: NameMaps,
  packetText?: (b: Uint8Array) => string,
): string {
  let s = ''
  if (p.table !== 0) s += ` table_id=${formatTable(p.table, names)}`
  if (p.cookie !== NO_COOKIE) s += ` cookie=0x${p.cookie.toString(16)}`
  s += ` total_len=${p.totalLength} ${formatMatch(p.metadata, names)} (via ${p.reason}) data_len=${p.packet.length}`
  if (p.bufferId === NO_BUFFER) {
    s += ' (unbuffered)'
    if (p.totalLength !== p.packet.length) s += ' (***total_len != data_len***)'
  } else s += ` buffer=0x${p.bufferId.toString(16).padStart(8, '0')}`
  if (p.userdata.length > 0) s += `\n userdata=${formatHexBytes(p.userdata)}`
  return packetText === undefined || p.packet.length === 0 ? s : `${s}\n${packetText(p.packet)}`
}

export function formatPacketOut(
  p: PacketOut,
  names?: NameMaps,
  packetText?: (b: Uint8Array) => string,
): string {
  const port = matchInPort(p.metadata)
  let s = ` in_port=${formatPort(port ?? OFPP_NONE, names)} actions=${formatActions(p.actions, names)}`
  if (p.bufferId !== NO_BUFFER) return `${s} buffer=0x${p.bufferId.toString(16).padStart(8, '0')}`
  s += ` data_len=${p.packet.length}`
  return packetText === undefined || p.packet.length === 0 ? s : `${s}\n${packetText(p.packet)}`
}
