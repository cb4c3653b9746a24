import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Bridge, Network } from '../config/network.ts'
import type { TlsFiles } from '../net/stream.ts'
import { bridgeOf } from './bridge-of.ts'
import { hostOf, Plugs, routerOf } from './lab-of.ts'
import { DatabaseReader, type Problem, type RowReader } from './row-reader.ts'

export interface NetworkReading {
  readonly network: Network
  /** What could not be read as part of it, by row. */
  readonly problems: readonly Problem[]
}

/**
 * The network that the rows of the two databases describe, as far as they can be understood. Lists that have no order
 * in a database are in that of their names.
 * @param ovs Open_vSwitch
 * @param lab ours (protocols/ovsdb/schemas/lab.ts), where there is one
 */
export function networkOf(ovs: Snapshot, lab: Snapshot | undefined): NetworkReading {
  const switchRows = new DatabaseReader(ovs)
  const labRows = new DatabaseReader(lab)
  const root = switchRows.root('Open_vSwitch')
  const labRoot = labRows.root('Lab')
  const read = switchRows.follow(root, 'bridges', 'Bridge').map((row) => bridgeOf(switchRows, row))
  const plugs = new Plugs(read.flatMap((bridge) => bridge.plugs))
  const devices = labRows.follow(labRoot, 'devices', 'Device')
  const hosts = labRows.follow(labRoot, 'hosts', 'Host').map((row) => hostOf(labRows, row, plugs))
  const routers = labRows.follow(labRoot, 'routers', 'Router').map((row) => routerOf(labRows, row, plugs))
  plugs.leave()
  if (root?.isDefault('datapaths') === false) root.problem('datapaths is not served')
  const ssl = sslOf(switchRows, root)
  const bridges = withAddresses(
    read.map(({ bridge }) => bridge),
    devices,
  )
  return {
    network: { bridges, hosts, routers, ...(ssl === undefined ? {} : { ssl }) },
    problems: [...switchRows.problems, ...labRows.problems],
  }
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
  const addressed = bridges.map((bridge): Bridge => {
    const { name, internal, ports } = bridge
    return {
      ...bridge,
      internal: internal === undefined ? undefined : { ...internal, address: take(name) },
      ports: ports.map((port) => (port.type === 'internal' ? { ...port, address: take(port.name) } : port)),
    }
  })
  for (const [port, row] of byPort) row.problem(`no bridge has an internal port "${port}"`)
  return addressed
}
