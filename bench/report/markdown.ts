/** The tables of the README, made of a run. */
import { nameMachine } from '../support/machine.ts'
import { type Result, short } from '../support/result.ts'
import type { Run } from '../support/run.ts'

/** Figure, as results call it, and how the README does. */
type Column = readonly [figure: string, head: string]

const IN_MEMORY: readonly (readonly [bench: string, row: string])[] = [
  ['memory: bridge', 'bridge'],
  ['memory: vlan push', 'bridge that pushes a VLAN tag'],
  ['memory: 8 bridges', '8 bridges joined by patch ports'],
  ['memory: routed', 'routed'],
  ['memory: snat', 'routed with SNAT'],
]
const MEMORY_COLUMNS: readonly Column[] = [
  ['64 B, 1 flow', '1 flow'],
  ['64 B, 10000 flows', '10,000 flows'],
  ['64 B, 1 flow, all stages', 'least time of a frame'],
]

const BESIDE: readonly (readonly [bench: string, title: string, columns: readonly Column[]])[] = [
  [
    'bridge',
    'between two namespaces',
    [
      ['TCP, 1 stream', 'TCP, one stream'],
      ['64 B', '64-byte frames'],
      ['64 B, processor time', 'processor time'],
      ['round trip, p50', 'round trip'],
      ['memory afterwards', 'memory'],
    ],
  ],
  [
    'SNAT',
    'through SNAT',
    [
      ['TCP, 1 stream', 'TCP, one stream'],
      ['64 B, 1 flow', '64 B, 1 flow'],
      ['64 B, 10,000 flows', '10,000 flows'],
      ['new TCP connections', 'new connections'],
      ['round trip, p50', 'round trip'],
    ],
  ],
  [
    'RFC 2544',
    'RFC 2544, without loss',
    [
      ['throughput, 64 B', '64 B'],
      ['throughput, 512 B', '512 B'],
      ['throughput, 1518 B', '1518 B'],
      ['latency at 90 %, p50, 64 B', 'latency at 90 %, 64 B'],
    ],
  ],
  [
    'DHCP',
    'DHCP',
    [['leases a second, each on the disk, at 1 % loss or less', 'leases a second, each on the disk']],
  ],
  [
    'start',
    'start',
    [
      ['start to ready', 'until a bridge of two ports is ready'],
      ['memory when ready', 'memory'],
      ['ovs-vsctl add-port', 'until ovs-vsctl has added a port'],
      ['1000 ports in one ovs-vsctl', 'until ovs-vsctl has added 1,000 ports'],
    ],
  ],
]

export function markdown({ machine, quick, results }: Run): string {
  const how = quick ? 'npm run bench -- --quick' : 'npm run bench'
  const tables = [memoryTable(results), ...BESIDE.map((of) => besideTable(results, ...of))]
  return [
    `One run of \`${how}\` on this machine: ${nameMachine(machine)}. Medians; in brackets ours over theirs, round by round.`,
    ...tables.filter((table) => table !== undefined),
  ].join('\n\n')
}

function memoryTable(results: readonly Result[]): string | undefined {
  const rows = IN_MEMORY.map(([bench, row]) => [
    row,
    ...MEMORY_COLUMNS.map(([figure]) => cell(results.find((r) => r.bench === bench && r.figure === figure))),
  ]).filter((row) => row.slice(1).some((text) => text !== ''))
  const head = 'in memory, 64-byte frames, the copy into the switch included'
  return rows.length === 0 ? undefined : tableOf([head, ...MEMORY_COLUMNS.map(([, name]) => name)], rows)
}

/** A row for each switch, ours first. */
function besideTable(
  results: readonly Result[],
  bench: string,
  title: string,
  columns: readonly Column[],
): string | undefined {
  const of = results.filter((r) => r.bench === bench && columns.some(([figure]) => figure === r.figure))
  const others = (peer: string) => (peer.startsWith('ours') ? 0 : 1)
  const switches = [...new Set(of.map((r) => r.peer ?? ''))].sort((a, b) => others(a) - others(b))
  const rows = switches.map((peer) => [
    peer,
    ...columns.map(([figure]) => {
      const same = of.filter((r) => r.figure === figure)
      // Where several are ours, the first is what others are told beside.
      const ratio = same.find((r) => r.ratios?.[peer] !== undefined)?.ratios?.[peer]
      const value = cell(same.find((r) => r.peer === peer))
      return ratio === undefined ? value : `${value} (${short(ratio)}×)`
    }),
  ])
  return rows.length === 0 ? undefined : tableOf([title, ...columns.map(([, name]) => name)], rows)
}

function cell(result: Result | undefined): string {
  return result === undefined ? '' : `${short(result.value)} ${result.unit}`
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
