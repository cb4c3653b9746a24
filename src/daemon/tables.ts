/** Tables of the dataplane as the control socket shows them: whole, and with addresses as people write them. */
import type { Dpif, Page } from '../../engine/dpif.ts'
import { formatOdpKey } from '../../protocols/odp/key-format.ts'
import { SECOND } from '../../protocols/time.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4, formatPrefix } from '../../protocols/wire/ipv4.ts'
import type { Network } from '../config/network.ts'
import type { ArpEntry, FdbEntry, FlowEntry, NatEntry, QueueEntry, RouteEntry } from '../control/protocol.ts'
import { shownOfport } from './port-facts.ts'

/** All pages of a table, one after the other. */
async function all<Row>(page: (from: number) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    const next: Page<Row> = await page(from)
    for (const row of next.rows) rows.push(row)
    from = next.next
  }
  return rows
}

export async function fdbTable(dpif: Dpif, network: Network): Promise<FdbEntry[]> {
  const rows: FdbEntry[] = []
  for (const bridge of network.bridges) {
    for (const row of await all((from) => dpif.fdb(bridge.name, from))) {
      rows.push({ ...row, ofport: shownOfport(row.ofport), mac: formatMac(row.mac) })
    }
  }
  return rows
}

export async function arpTable(dpif: Dpif, network: Network): Promise<ArpEntry[]> {
  const rows: ArpEntry[] = []
  for (const router of network.routers) {
    for (const row of await dpif.neighbors(router.name)) {
      rows.push({
        ...row,
        address: formatIpv4(row.address),
        mac: row.mac === undefined ? null : formatMac(row.mac),
      })
    }
  }
  return rows
}

export async function routeTable(dpif: Dpif, network: Network): Promise<RouteEntry[]> {
  const rows: RouteEntry[] = []
  for (const router of network.routers) {
    for (const { prefix, prefixLength, via, interface: iface, metric } of await dpif.routes(router.name)) {
      rows.push({
        router: router.name,
        destination: formatPrefix({ address: prefix, prefixLength }),
        via: via === undefined ? null : formatIpv4(via),
        interface: iface,
        metric,
      })
    }
  }
  return rows
}

export async function natTable(dpif: Dpif, network: Network): Promise<NatEntry[]> {
  const rows: NatEntry[] = []
  const end = (address: number, port: number) => `${formatIpv4(address)}:${port}`
  for (const router of network.routers) {
    for (const row of await all((from) => dpif.connections(router.name, from))) {
      const { protocol, state, expires, original, reply } = row
      rows.push({
        router: router.name,
        protocol,
        state,
        expires,
        source: end(original[0], original[1]),
        destination: end(original[2], original[3]),
        replySource: end(reply[0], reply[1]),
        replyDestination: end(reply[2], reply[3]),
      })
    }
  }
  return rows
}

export async function flowTable(dpif: Dpif): Promise<FlowEntry[]> {
  const [rows, ports] = await Promise.all([all((from) => dpif.megaflows(from, true)), dpif.ports()])
  const names = new Map(ports.map((port) => [port.portNo, port.name]))
  const portName = (portNo: number) => names.get(portNo) ?? String(portNo)
  return rows.map(({ key, mask, actions, packets, bytes, used }) => ({
    match: formatOdpKey(key, mask, { verbose: false, portName }),
    actions,
    packets,
    bytes,
    used: used === undefined ? null : used / SECOND,
  }))
}

export async function queueTable(dpif: Dpif): Promise<QueueEntry[]> {
  return (await dpif.queues()).map((row) => ({
    bridge: row.bridge,
    port: row.port,
    queue: row.queue,
    minRate: row.minRate,
    maxRate: row.maxRate,
    burst: row.burst,
    priority: row.spec.priority ?? 0,
    txPackets: row.txPackets,
    txBytes: row.txBytes,
    txErrors: row.txErrors,
    waiting: row.waiting,
    waitingBytes: row.waitingBytes,
  }))
}
