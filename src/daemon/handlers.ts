import { now } from '../../engine/sys/clock.ts'
import { formatPrefix } from '../../protocols/wire/ipv4.ts'
import { SNAPLEN_MAX } from '../../protocols/wire/pcapng.ts'
import { later } from '../bundle/later.ts'
import { EXIT_USAGE } from '../cli/exit-codes.ts'
import type { PortRow, Status } from '../control/protocol.ts'
import type { Handlers } from '../control/server.ts'
import { CliError } from '../errors.ts'
import { portFacts, portsOf, shownOfport, unknownPort } from './port-facts.ts'
import { RateMeter } from './rates.ts'
import type { Switch } from './switch.ts'
import { VERSION } from './version.ts'

export interface HandlerOptions {
  readonly network: Switch
  /** The file it was started with, if it was. */
  readonly configPath: string | undefined
  reload(configPath: string | undefined): Promise<readonly string[]>
  stop(): void
}

const tables = later(() => import('./tables.ts'))
const tracing = later(() => import('./trace.ts'))
const documents = later(() => import('../config/document-of.ts'))

/** What the control socket answers. Parameters come from strangers, and are looked at before they are used. */
export function controlHandlers(options: HandlerOptions): Handlers {
  const { network: lab, configPath } = options
  const { dpif } = lab
  const started = now()
  const meter = new RateMeter(() => dpif.ports())
  return {
    status: () => status(lab, configPath, started, meter),
    stop: () => {
      // The answer leaves first; that everything is gone, the closed connection says.
      setImmediate(options.stop)
      return { pid: process.pid }
    },
    reload: async ({ config }) => {
      if (config !== undefined && typeof config !== 'string') throw wrong('config', 'a path')
      return { steps: await options.reload(config) }
    },
    export: async () => {
      const { documentOf } = await documents()
      return documentOf(lab.network)
    },
    fdb: async () => (await tables()).fdbTable(dpif, lab.network),
    arp: async () => (await tables()).arpTable(dpif, lab.network),
    routes: async () => (await tables()).routeTable(dpif, lab.network),
    nat: async () => (await tables()).natTable(dpif, lab.network),
    leases: () => lab.dhcpServers.leases(),
    flows: async () => (await tables()).flowTable(dpif),
    queues: async () => (await tables()).queueTable(dpif),
    trace: async (params) => {
      const { traceHandler } = await tracing()
      return traceHandler(lab, params)
    },
    capture: ({ target, count, snaplen }) => {
      if (typeof target !== 'string') throw wrong('target', 'the name of a port or host')
      if (!isCount(count)) throw wrong('count', 'a number of frames')
      if (!isCount(snaplen)) throw wrong('snaplen', 'a number of bytes')
      const ports = portsOf(lab.network, target)
      if (ports.length === 0) {
        throw new CliError(`There is no port or host "${target}".`, {
          code: EXIT_USAGE,
          hint: `Ports are: ${[...portFacts(lab.network).keys()].join(', ')}`,
        })
      }
      const request = {
        ports,
        count: count ?? Number.POSITIVE_INFINITY,
        snaplen: Math.min(snaplen ?? SNAPLEN_MAX, SNAPLEN_MAX),
      }
      return {
        result: { ports },
        run: (output, signal) => lab.captures.run(request, output, signal),
      }
    },
  }
}

function wrong(parameter: string, expected: string): CliError {
  return new CliError(`The parameter "${parameter}" is not ${expected}.`, { code: EXIT_USAGE })
}

function isCount(value: unknown): value is number | undefined {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)
}

async function status(
  lab: Switch,
  config: string | undefined,
  started: number,
  meter: RateMeter,
): Promise<Status> {
  const { dpif, network } = lab
  const [{ ports, rates }, { drops, ...datapath }] = await Promise.all([meter.look(), dpif.stats()])
  const facts = portFacts(network)
  const rows = ports.map((port): PortRow => {
    const { stats } = port
    return {
      name: port.name,
      bridge: port.bridge,
      ofport: shownOfport(port.ofport),
      ...(facts.get(port.name) ?? unknownPort(port.type)),
      link: port.link,
      rxPackets: stats['rx_packets'] ?? 0,
      rxBytes: stats['rx_bytes'] ?? 0,
      rxErrors: stats['rx_errors'] ?? 0,
      rxDropped: stats['rx_dropped'] ?? 0,
      txPackets: stats['tx_packets'] ?? 0,
      txBytes: stats['tx_bytes'] ?? 0,
      txErrors: stats['tx_errors'] ?? 0,
      txDropped: stats['tx_dropped'] ?? 0,
      ...rates(port.name),
    }
  })
  const bridges = network.bridges.map((bridge) => ({
    name: bridge.name,
    datapathId: bridge.datapathId,
    ...(bridge.internal?.address === undefined ? {} : { address: formatPrefix(bridge.internal.address) }),
    ports: rows.filter((row) => row.bridge === bridge.name).length,
  }))
  return {
    pid: process.pid,
    version: VERSION,
    config: config ?? null,
    uptime: (now() - started) / 1000,
    bridges,
    ports: rows,
    drops,
    datapath,
  }
}
