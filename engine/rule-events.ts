/** What the control side is told about rules and tables. */
import { FF_SEND_FLOW_REM } from '../protocols/openflow/flow-mod.ts'
import type { FlowRemovedReason } from '../protocols/openflow/flow-removed.ts'
import type { Instant } from '../protocols/time.ts'
import { type MiniMatch, wholeMatch } from './classifier/mini-match.ts'
import type { DpifEvent } from './dpif.ts'
import { flowRemovedOf } from './ofproto/flow-dump.ts'
import type { FlowTable } from './ofproto/flow-table.ts'
import type { Rule } from './ofproto/rule.ts'
import { describeTable } from './ofproto/table-mod.ts'
import type { TlvTable } from './ofproto/tlv-table.ts'

interface Announcer {
  readonly now: Instant
  emit(event: DpifEvent): void
}

/** A rule is gone: told if the rule asked for it. */
export function announceRemoval(
  to: Announcer,
  bridge: string,
  rule: Rule,
  match: MiniMatch,
  reason: FlowRemovedReason,
  tlv: TlvTable,
): void {
  if ((rule.flags & FF_SEND_FLOW_REM) === 0) return
  const removed = flowRemovedOf(rule, tlv.asOptions(wholeMatch(match)), reason, to.now)
  to.emit({ type: 'flow-removed', bridge, removed })
}

/** A table has become nearly full, or is so no longer. */
export function announceVacancy(
  to: Announcer,
  bridge: string,
  table: FlowTable,
  reason: 'vacancy_down' | 'vacancy_up',
): void {
  to.emit({ type: 'table-status', bridge, status: { reason, desc: describeTable(table) } })
}
