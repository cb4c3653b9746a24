import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Bridge, Host, Network, Router } from '../config/network.ts'
import type { TlsFiles } from '../net/stream.ts'
import { BridgeReader } from './bridge-reader.ts'
import { hostOf, Plugs, routerOf } from './lab-of.ts'
import type { ReadPlug, ReadPort } from './read-port.ts'
import type { Touched } from './readings.ts'
import { DatabaseReader, type Problem, type RowReader } from './row-reader.ts'

export interface NetworkReading {
  readonly network: Network
  /** What could not be read as part of it, by row. */
  readonly problems: readonly Problem[]
  /** Names of the ports that have come, gone or been read anew since the last reading, and of their other ends. */
  readonly ports: ReadonlySet<string>
}

interface LabReading {
  readonly lab: Snapshot | undefined
  readonly plugs: readonly ReadPlug[]
  readonly hosts: readonly Host[]
  readonly routers: readonly Router[]
  readonly problems: readonly Problem[]
}

/**
 * The network that the rows of the two databases describe, as far as they can be understood. Lists that have no order
 * in a database are in that of their names. Of Open_vSwitch only what has changed is read again: bridges, ports, hosts
 * and routers that have not are the objects that they were.
 */
export class NetworkReader {
  #bridges = new Map<string, BridgeReader>()
  #lab: LabReading | undefined

  /**
   * @param ovs Open_vSwitch
   * @param lab ours (protocols/ovsdb/schemas/lab.ts), where there is one
   * @param touched what has changed in Open_vSwitch since the last reading; of no matter for the first
   */
  read(ovs: Snapshot, lab: Snapshot | undefined, touched: Touched = new Set()): NetworkReading {
    const rows = new DatabaseReader(ovs)
    const root = rows.root('Open_vSwitch')
    const ports = new Set<string>()
    const onPort = (port: ReadPort) => {
      for (const name of concerned(port)) ports.add(name)
    }
    const readers = this.#readersOf(rows.follow(root, 'bridges', 'Bridge'), onPort)
    const bridges = readers.map((reader) => reader.read(ovs, touched, onPort))
    const plugs = readers.flatMap((reader) => reader.plugs)
    const { hosts, routers, problems } = this.#labOf(ovs, lab, plugs, ports)
    if (root?.isDefault('datapaths') === false) root.problem('datapaths is not served')
    const ssl = sslOf(rows, root)
    const labRows = new DatabaseReader(lab)
    const devices = labRows.follow(labRows.root('Lab'), 'devices', 'Device')
    return {
      network: {
        bridges: withAddresses(bridges, devices),
        hosts,
        routers,
        ...(ssl === undefined ? {} : { ssl }),
      },
      problems: [
        ...rows.problems,
        ...readers.flatMap((reader) => reader.problems()),
        ...problems,
        ...labRows.problems,
      ],
      ports,
    }
  }

  /** One for each bridge, those that there are as they are. */
  #readersOf(rows: readonly RowReader[], onPort: (port: ReadPort) => void): BridgeReader[] {
    const before = this.#bridges
    this.#bridges = new Map(rows.map(({ uuid }) => [uuid, before.get(uuid) ?? new BridgeReader(uuid)]))
    for (const [uuid, reader] of before) if (!this.#bridges.has(uuid)) reader.ports.forEach(onPort)
    return [...this.#bridges.values()]
  }

  /** Hosts and routers, read anew when their database is another or they are plugged in elsewhere. */
  #labOf(
    ovs: Snapshot,
    lab: Snapshot | undefined,
    plugs: readonly ReadPlug[],
    ports: Set<string>,
  ): LabReading {
    const known = this.#lab
    if (known !== undefined && known.lab === lab && sameObjects(known.plugs, plugs)) return known
    const rows = new DatabaseReader(ovs)
    const labRows = new DatabaseReader(lab)
    const root = labRows.root('Lab')
    const free = new Plugs(
      plugs.flatMap((plug) => {
        const iface = rows.get('Interface', plug.iface)
        return iface === undefined ? [] : { ...plug, iface }
      }),
    )
    const hosts = labRows.follow(root, 'hosts', 'Host').map((row) => hostOf(labRows, row, free))
    const routers = labRows.follow(root, 'routers', 'Router').map((row) => routerOf(labRows, row, free))
    free.leave()
    for (const { port } of plugs) ports.add(port)
    this.#lab = { lab, plugs, hosts, routers, problems: [...rows.problems, ...labRows.problems] }
    return this.#lab
  }
}

/** A port, and the other end of a wire. */
function concerned({ name, is }: ReadPort): string[] {
  return is?.what === 'port' && is.port.type === 'patch' ? [name, is.port.peer] : [name]
}

function sameObjects(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

/** The keys that a database names, if it does. */
export function tlsFilesOf(ovs: Snapshot): TlsFiles | undefined {
  const rows = new DatabaseReader(ovs)
  return sslOf(rows, rows.root('Open_vSwitch'))
}

function sslOf(ovs: DatabaseReader, root: RowReader | undefined): TlsFiles | undefined {
  const row = ovs.get('SSL', root?.text('ssl') ?? '')
  if (row === undefined) return undefined
  return {
    privateKey: row.text('private_key'),
    certificate: row.text('certificate'),
    caCert: row.text('ca_cert'),
    ...(row.flag('bootstrap_ca_cert') ? { bootstrapCaCert: true } : {}),
  }
}

/** The machine's own addresses on its internal ports. */
function withAddresses(bridges: readonly Bridge[], devices: readonly RowReader[]): Bridge[] {
  const byPort = new Map(devices.map((row) => [row.text('port'), row]))
  const take = (port: string) => {
    const row = byPort.get(port)
    byPort.delete(port)
    return row?.prefix('address')
  }
  if (byPort.size === 0) return [...bridges]
  const addressed = bridges.map((bridge): Bridge => {
    const { name, internal, ports } = bridge
    const own = internal && byPort.has(name) ? { ...internal, address: take(name) } : internal
    const addressedPorts = ports.map((port) =>
      port.type === 'internal' && byPort.has(port.name) ? { ...port, address: take(port.name) } : port,
    )
    return { ...bridge, internal: own, ports: addressedPorts }
  })
  for (const [port, row] of byPort) row.problem(`no bridge has an internal port "${port}"`)
  return addressed
}
