import type { PortRow, Status } from '../control/protocol.ts'
import { colors, duration, short } from './output.ts'
import { type Column, table } from './table.ts'

/** The state of a running switch for people. */
export function statusText(status: Status, columns: readonly Column<PortRow>[]): string {
  const { datapath } = status
  const lookups = datapath.emcHits + datapath.megaflowHits + datapath.upcalls
  const drops = Object.entries(status.drops)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1])
  return [
    `vswitchd-ts ${status.version}, pid ${status.pid}, up ${duration(status.uptime)}, ${status.config ?? 'as its database says'}`,
    `${short(lookups)} packets, ${datapath.flows} flows, ${datapath.connections} connections, ${datapath.cellsFree} of ${datapath.cells} packet cells free`,
    '',
    table(columns, status.ports),
    '',
    drops.length === 0
      ? 'no packets dropped'
      : table(
          [
            { title: 'dropped because', cell: ([reason]) => reason },
            { title: 'packets', align: 'right', cell: ([, n]) => colors.yellow(short(n)) },
          ],
          drops,
        ),
  ].join('\n')
}
