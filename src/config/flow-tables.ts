/** What a bridge says of its flow tables, as in the Flow_Table table of ovs-vswitchd.conf.db(5). */

import { choice, integer, list, named, record, text } from './fields.ts'
import type { FlowTableSettings } from './network.ts'
import type { z } from './zod.ts'

const FlowTableSchema = record(
  () => ({
    name: text('.{1,31}', 'a name of at most 31 characters', { description: 'Name, for people.' }).optional(),
    flowLimit: integer(0, 1_000_000, 'a number of flows', {
      description: 'Flows that the table may have; no limit when absent.',
      examples: [1000],
    }).optional(),
    overflowPolicy: choice(['refuse', 'evict'], {
      description:
        'What happens to a flow beyond the limit: it is refused, or the flow with a timeout that ends first makes room.',
      default: 'refuse',
    }).optional(),
    evictionGroups: list(
      text(
        '\\w+(?:\\[(?:\\d+(?:\\.\\.\\d+)?)?\\])?',
        'a field such as "in_port" or "NXM_OF_ETH_SRC[0..23]"',
        {
          description: 'A field or a part of one.',
        },
      ),
      'fields',
      {
        description:
          'Of flows that agree in these fields the largest group makes room, so that who adds many takes the room of nobody else.',
        examples: [['in_port']],
        default: [],
      },
    ).optional(),
  }),
  { description: 'A flow table.' },
)

export const flowTablesShape = () => ({
  flowTables: named(FlowTableSchema, {
    description: 'Flow tables with a name or a limit, by number.',
    names: '\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-3]',
  }).optional(),
})

export function flowTables(
  input: z.input<z.ZodObject<ReturnType<typeof flowTablesShape>>>,
): FlowTableSettings[] {
  return Object.entries(input.flowTables ?? {})
    .map(([table, { name, flowLimit, overflowPolicy, evictionGroups }]) => ({
      table: Number(table),
      name: name ?? '',
      flowLimit,
      evicts: overflowPolicy === 'evict',
      groups: evictionGroups ?? [],
    }))
    .sort((a, b) => a.table - b.table)
}
