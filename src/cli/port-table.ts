import { OFPORT_LOCAL, type PortRow } from '../control/protocol.ts'
import { colors, short } from './output.ts'
import type { Column } from './table.ts'
import { vlanText } from './vlan-text.ts'

function link(row: PortRow): string {
  if (row.link === 'up') return colors.green('up')
  return row.link === 'down' ? colors.yellow('down') : colors.red('gone')
}

const NAMES: readonly Column<PortRow>[] = [
  { title: 'bridge', cell: (p) => p.bridge },
  { title: 'port', cell: (p) => p.name },
]

const RATES: readonly Column<PortRow>[] = [
  { title: 'rx pps', align: 'right', cell: (p) => short(p.rxPacketRate) },
  { title: 'rx bit/s', align: 'right', cell: (p) => short(p.rxBitRate) },
  { title: 'tx pps', align: 'right', cell: (p) => short(p.txPacketRate) },
  { title: 'tx bit/s', align: 'right', cell: (p) => short(p.txBitRate) },
]

/** Ports with what they are and what they carry. */
export const PORT_COLUMNS: readonly Column<PortRow>[] = [
  ...NAMES,
  { title: 'no', align: 'right', cell: (p) => (p.ofport === OFPORT_LOCAL ? 'LOCAL' : String(p.ofport)) },
  { title: 'kind', cell: (p) => p.kind },
  { title: 'link', cell: link },
  { title: 'vlan', cell: (p) => vlanText(p.vlan) },
  { title: 'rx packets', align: 'right', cell: (p) => short(p.rxPackets) },
  { title: 'rx bytes', align: 'right', cell: (p) => short(p.rxBytes) },
  { title: 'tx packets', align: 'right', cell: (p) => short(p.txPackets) },
  { title: 'tx bytes', align: 'right', cell: (p) => short(p.txBytes) },
  {
    title: 'lost',
    align: 'right',
    cell: (p) => short(p.rxErrors + p.rxDropped + p.txErrors + p.txDropped),
  },
]

/** Ports with their rates alone. */
export const RATE_COLUMNS: readonly Column<PortRow>[] = [...NAMES, { title: 'link', cell: link }, ...RATES]

export const STATUS_COLUMNS: readonly Column<PortRow>[] = [
  ...PORT_COLUMNS.slice(0, 6),
  ...RATES,
  PORT_COLUMNS.at(-1)!,
]
