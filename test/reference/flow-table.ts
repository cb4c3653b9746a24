/**
 * Flow tables as OpenFlow 1.5.1 §5.2, §6.4 and §6.5 tell of them, one rule after the other: no index, no cache,
 * no compact form. Times are milliseconds.
 */
import {
  COOKIE_UNCHANGED,
  FF_CHECK_OVERLAP,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
  type FlowMod,
  OFPG_ANY,
  OFPTT_ALL,
} from '../../protocols/openflow/flow-mod.ts'
import { equalMatch, type Match } from '../../protocols/openflow/match.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'

export interface RefRule extends FlowMod {
  created: number
  modified: number
  used: number
  packets: number
  bytes: number
}

export interface RefRemoved {
  readonly rule: RefRule
  readonly reason: string
}

const INTERNAL = 254

/** Whether every packet that meets `narrow` meets `wide`. */
function includes(wide: Match, narrow: Match): boolean {
  return wide.mask.every(
    (m, w) => (m & ~narrow.mask[w]) === 0 && ((wide.value[w] ^ narrow.value[w]) & m) === 0,
  )
}

function overlap(a: Match, b: Match): boolean {
  return a.mask.every((m, w) => (m & b.mask[w] & (a.value[w] ^ b.value[w])) === 0)
}

export class RefFlowTables {
  rules: RefRule[] = []
  removed: RefRemoved[] = []
  /** Rules a table may have. */
  readonly limits = new Map<number, { max: number; eviction: boolean }>()

  /** All or nothing. */
  apply(fm: FlowMod, now: number): string | undefined {
    const rules = this.rules.map((r) => ({ ...r }))
    const removed = [...this.removed]
    const error = this.#apply(fm, now)
    if (error !== undefined) {
      this.rules = rules
      this.removed = removed
    }
    return error
  }

  #apply(fm: FlowMod, now: number): string | undefined {
    if (fm.command === 'add') return this.#add(fm, now)
    const strict = fm.command.endsWith('_strict')
    const deletes = fm.command.startsWith('delete')
    const picked = this.rules.filter(
      (r) =>
        (fm.table === OFPTT_ALL ? r.table !== INTERNAL : r.table === fm.table) &&
        (strict
          ? r.priority === fm.priority && equalMatch(r.match, fm.match)
          : includes(fm.match, r.match)) &&
        ((r.newCookie ^ fm.cookie) & fm.cookieMask) === 0n &&
        (!deletes || fm.outPort === OFPP_ANY || hasOutput(r, fm.outPort)) &&
        (!deletes || fm.outGroup === OFPG_ANY || hasGroup(r, fm.outGroup)),
    )
    if (deletes) {
      for (const r of picked) this.#remove(r, 'delete')
      return undefined
    }
    if (picked.length === 0) {
      return fm.cookieMask === 0n && fm.newCookie !== COOKIE_UNCHANGED ? this.#add(fm, now) : undefined
    }
    for (const r of picked) {
      r.actions = fm.actions
      r.modified = now
      if (fm.modifyCookie && fm.newCookie !== COOKIE_UNCHANGED) r.newCookie = fm.newCookie
      if ((fm.flags & FF_RESET_COUNTS) !== 0) {
        r.packets = 0
        r.bytes = 0
      }
    }
    return undefined
  }

  #add(fm: FlowMod, now: number): string | undefined {
    const table = fm.table === OFPTT_ALL ? 0 : fm.table
    if (table > INTERNAL) return 'OFPBRC_BAD_TABLE_ID'
    if (table === INTERNAL) return 'OFPBRC_EPERM'
    const here = this.rules.filter((r) => r.table === table)
    const old = here.find((r) => r.priority === fm.priority && equalMatch(r.match, fm.match))
    if (old === undefined) {
      const overlaps = here.some((r) => r.priority === fm.priority && overlap(r.match, fm.match))
      if ((fm.flags & FF_CHECK_OVERLAP) !== 0 && overlaps) return 'OFPFMFC_OVERLAP'
      const limit = this.limits.get(table)
      if (limit !== undefined && here.length >= limit.max) {
        if (!limit.eviction) return 'OFPFMFC_TABLE_FULL'
        const victim = here
          .filter((r) => endOf(r) !== Number.POSITIVE_INFINITY)
          .sort((a, b) => a.importance - b.importance || endOf(a) - endOf(b))[0]
        if (victim === undefined) return 'OFPFMFC_TABLE_FULL'
        this.#remove(victim, 'eviction')
      }
    }
    const rule: RefRule = { ...fm, table, created: now, modified: now, used: now, packets: 0, bytes: 0 }
    if (old !== undefined) {
      this.rules = this.rules.filter((r) => r !== old)
      if ((fm.flags & FF_RESET_COUNTS) === 0) {
        rule.packets = old.packets
        rule.bytes = old.bytes
        rule.used = old.used
      }
    }
    this.rules.push(rule)
    return undefined
  }

  #remove(rule: RefRule, reason: string): void {
    this.rules = this.rules.filter((r) => r !== rule)
    if ((rule.flags & FF_SEND_FLOW_REM) !== 0) this.removed.push({ rule, reason })
  }

  expire(now: number): void {
    for (const r of this.rules) {
      if (r.hardTimeout > 0 && now > r.modified + r.hardTimeout * 1000) this.#remove(r, 'hard_timeout')
      else if (r.idleTimeout > 0 && now > r.used + r.idleTimeout * 1000) this.#remove(r, 'idle_timeout')
    }
  }

  /** The rules of a table, any of which may be the one for this packet. */
  lookup(table: number, flow: Uint32Array): RefRule[] {
    const meeting = this.rules.filter(
      (r) => r.table === table && r.match.mask.every((m, w) => ((r.match.value[w] ^ flow[w]) & m) === 0),
    )
    const best = Math.max(...meeting.map((r) => r.priority))
    return meeting.filter((r) => r.priority === best)
  }
}

function hasOutput(rule: RefRule, port: number): boolean {
  return rule.actions.some((a) => a.type === 'output' && a.port === port)
}

function hasGroup(rule: RefRule, group: number): boolean {
  return rule.actions.some((a) => a.type === 'group' && a.group === group)
}

function endOf(r: RefRule): number {
  return Math.min(
    r.hardTimeout > 0 ? r.modified + r.hardTimeout * 1000 : Number.POSITIVE_INFINITY,
    r.idleTimeout > 0 ? r.used + r.idleTimeout * 1000 : Number.POSITIVE_INFINITY,
  )
}
