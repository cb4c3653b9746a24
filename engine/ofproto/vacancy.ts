/**
 * Vacancy events (OpenFlow 1.4 §7.4.5): a table says when its free space falls below one mark, and, once it
 * has, when it rises above another.
 */
import type { FlowTable } from './flow-table.ts'

/** Free space of a table, per cent; 0 for a table that is full. */
export function vacancyOf(table: FlowTable): number {
  const { maxFlows } = table.config
  if (maxFlows === undefined) return 100
  return maxFlows === 0 ? 0 : Math.max(0, Math.floor(((maxFlows - table.classifier.size) * 100) / maxFlows))
}

/** What there is to tell of a table now; each kind comes only after the other. */
export function vacancyEvent(table: FlowTable): 'vacancy_down' | 'vacancy_up' | undefined {
  const { vacancy } = table.config
  if (vacancy === undefined) return undefined
  const now = vacancyOf(table)
  const event = now < vacancy.down ? 'vacancy_down' : now > vacancy.up ? 'vacancy_up' : undefined
  if (event !== table.awaitedVacancy) return undefined
  table.awaitedVacancy = event === 'vacancy_down' ? 'vacancy_up' : 'vacancy_down'
  return event
}
