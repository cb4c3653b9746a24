import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import type { Methods } from '../../control/protocol.ts'
import { jsonOption, rundirOption, type TableOptions } from '../options.ts'
import { duration, print, printJson, short } from '../output.ts'
import { PORT_COLUMNS } from '../port-table.ts'
import type { Column } from '../table.ts'

interface View<Row> {
  readonly description: string
  /** What is printed instead of a table without rows. */
  readonly empty: string
  readonly rows: (rundir: string) => Promise<readonly Row[]>
  readonly columns: readonly Column<Row>[]
}

type Tables = 'fdb' | 'arp' | 'routes' | 'nat' | 'leases' | 'flows' | 'queues'
type RowOf<M extends Tables> = Methods[M]['result'][number]

function view<M extends Tables>(
  method: M,
  description: string,
  empty: string,
  columns: readonly Column<RowOf<M>>[],
): View<RowOf<M>> {
  const rows = (rundir: string) => ask(rundir, method, {}) as Promise<readonly RowOf<M>[]>
  return { description, empty, rows, columns }
}

const seconds = (n: number | null) => (n === null ? 'never' : duration(n))

const VIEWS = {
  ports: {
    description: 'ports of all bridges with their counters',
    empty: 'no ports',
    rows: async (rundir: string) => (await ask(rundir, 'status', {})).ports,
    columns: PORT_COLUMNS,
  },
  fdb: view('fdb', 'MAC addresses that bridges have learned', 'no addresses learned', [
    { title: 'bridge', cell: (r) => r.bridge },
    { title: 'port', cell: (r) => r.port },
    { title: 'vlan', align: 'right', cell: (r) => String(r.vlan) },
    { title: 'mac', cell: (r) => r.mac },
    { title: 'age', align: 'right', cell: (r) => (r.age < 0 ? 'static' : duration(r.age)) },
  ]),
  arp: view('arp', 'neighbours of routers', 'no neighbours', [
    { title: 'router', cell: (r) => r.router },
    { title: 'interface', cell: (r) => r.interface },
    { title: 'address', cell: (r) => r.address },
    { title: 'mac', cell: (r) => r.mac ?? '-' },
    { title: 'state', cell: (r) => r.state },
    { title: 'age', align: 'right', cell: (r) => duration(r.age) },
  ]),
  routes: view('routes', 'routes of routers', 'no routes', [
    { title: 'router', cell: (r) => r.router },
    { title: 'destination', cell: (r) => r.destination },
    { title: 'via', cell: (r) => r.via ?? 'connected' },
    { title: 'interface', cell: (r) => r.interface },
    { title: 'metric', align: 'right', cell: (r) => String(r.metric) },
  ]),
  nat: view('nat', 'connections tracked by routers, with their translations', 'no connections', [
    { title: 'router', cell: (r) => r.router },
    { title: 'protocol', cell: (r) => r.protocol },
    { title: 'state', cell: (r) => r.state },
    { title: 'source', cell: (r) => r.source },
    { title: 'destination', cell: (r) => r.destination },
    { title: 'answers from', cell: (r) => r.replySource },
    { title: 'answers to', cell: (r) => r.replyDestination },
    { title: 'expires', align: 'right', cell: (r) => duration(r.expires) },
  ]),
  leases: view('leases', 'leases of DHCP servers', 'no leases', [
    { title: 'router', cell: (r) => r.router },
    { title: 'interface', cell: (r) => r.interface },
    { title: 'address', cell: (r) => r.address },
    { title: 'mac', cell: (r) => r.mac ?? '-' },
    { title: 'client id', cell: (r) => r.clientId ?? '-' },
    { title: 'host name', cell: (r) => r.hostname ?? '-' },
    { title: 'state', cell: (r) => r.state },
    { title: 'expires', cell: (r) => r.expires ?? 'never' },
  ]),
  flows: view('flows', 'flows of the datapath: matches, packets and actions', 'no flows', [
    { title: 'match', cell: (r) => r.match },
    { title: 'packets', align: 'right', cell: (r) => short(r.packets) },
    { title: 'bytes', align: 'right', cell: (r) => short(r.bytes) },
    { title: 'used', align: 'right', cell: (r) => seconds(r.used) },
    { title: 'actions', cell: (r) => r.actions },
  ]),
  queues: view('queues', 'queues of ports that shape: rates, and what they sent and dropped', 'no queues', [
    { title: 'bridge', cell: (r) => r.bridge },
    { title: 'port', cell: (r) => r.port },
    { title: 'queue', align: 'right', cell: (r) => String(r.queue) },
    { title: 'min bit/s', align: 'right', cell: (r) => short(r.minRate) },
    { title: 'max bit/s', align: 'right', cell: (r) => short(r.maxRate) },
    { title: 'burst bit', align: 'right', cell: (r) => short(r.burst) },
    { title: 'priority', align: 'right', cell: (r) => String(r.priority) },
    { title: 'packets', align: 'right', cell: (r) => short(r.txPackets) },
    { title: 'bytes', align: 'right', cell: (r) => short(r.txBytes) },
    { title: 'dropped', align: 'right', cell: (r) => short(r.txErrors) },
    { title: 'waiting', align: 'right', cell: (r) => short(r.waiting) },
  ]),
}

function viewCommand<Row>(name: string, view: View<Row>): Command {
  return new Command(name)
    .description(view.description)
    .addOption(jsonOption())
    .addOption(rundirOption())
    .addHelpText(
      'after',
      `\nExamples:\n  $ vswitchd-ts show ${name}\n  $ vswitchd-ts show ${name} --json | jq length`,
    )
    .action(async ({ rundir, json }: TableOptions) => {
      const rows = await view.rows(rundir)
      if (json) return printJson(rows)
      if (rows.length === 0) return print(view.empty)
      const { table } = await import('../table.ts')
      print(table(view.columns, rows))
    })
}

export function showCommand(): Command {
  const show = new Command('show')
    .description('show a table of the running switch')
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts show fdb\n  $ vswitchd-ts show leases --json')
  for (const [name, v] of Object.entries(VIEWS)) show.addCommand(viewCommand(name, v as View<unknown>))
  return show
}
