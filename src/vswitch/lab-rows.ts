import { formatIpv4, formatPrefix, type Prefix } from '../../protocols/wire/ipv4.ts'
import { HELPERS, ICMP_ERROR_RATE, MAX_CONNECTIONS, TIMEOUTS } from '../config/defaults.ts'
import type { Bridge, Host, HostInterface, Router, RouterInterface } from '../config/network.ts'
import { unless } from '../config/unless.ts'
import { dhcpServerRow } from './dhcp-rows.ts'
import { natRow } from './nat-rows.ts'
import { listOf, mapOf, optional, type Reference, scalar, setOf, type WantedRows } from './wanted-row.ts'

const MILLISECONDS = 1000

/** Addresses of the machine itself. */
export function deviceRows(rows: WantedRows, { name, internal, ports }: Bridge): Reference[] {
  const devices: [string, Prefix | undefined][] = [[name, internal?.address]]
  for (const port of ports) if (port.type === 'internal') devices.push([port.name, port.address])
  return devices.flatMap(([port, address]) =>
    address === undefined
      ? []
      : [rows.add('Device', port, { port: scalar(port), address: scalar(formatPrefix(address)) })],
  )
}

export function hostRow(rows: WantedRows, host: Host): Reference {
  const { name } = host
  return rows.add('Host', name, {
    name: scalar(name),
    loopback: optional(unless(true, host.loopback)),
    addresses: listOf(host.addresses.map(formatPrefix)),
    interfaces: setOf(host.interfaces.map((iface) => hostInterfaceRow(rows, name, iface))),
    routes: setOf(
      host.routes.map(({ to, via }, i) => routeRow(rows, `host ${name}/${i}`, { to, via, metric: 0 })),
    ),
    dns: listOf(host.dns.map(formatIpv4)),
  })
}

function hostInterfaceRow(rows: WantedRows, host: string, iface: HostInterface): Reference {
  const { name, port, addressing, addresses, gateway } = iface
  return rows.add('Host_Interface', `${host}/${name}`, {
    name: scalar(name),
    port: scalar(port),
    addressing: scalar(addressing),
    addresses: listOf(addresses.map(formatPrefix)),
    gateway: optional(gateway === undefined ? undefined : formatIpv4(gateway)),
  })
}

function routeRow(
  rows: WantedRows,
  name: string,
  { to, via, metric }: { to: Prefix; via: number; metric: number },
): Reference {
  return rows.add('Route', name, {
    to: scalar(formatPrefix(to)),
    via: scalar(formatIpv4(via)),
    metric: scalar(metric),
  })
}

export function routerRow(rows: WantedRows, router: Router): Reference {
  const { name, timeouts } = router
  const spans = [
    ['tcp_established', timeouts.tcpEstablished, TIMEOUTS.tcpEstablished],
    ['tcp_transitory', timeouts.tcpTransitory, TIMEOUTS.tcpTransitory],
    ['udp', timeouts.udp, TIMEOUTS.udp],
    ['icmp', timeouts.icmp, TIMEOUTS.icmp],
  ] as const
  return rows.add('Router', name, {
    name: scalar(name),
    interfaces: setOf(router.interfaces.map((iface) => routerInterfaceRow(rows, name, iface))),
    routes: setOf(
      router.routes.map(({ prefix, prefixLength, via, metric }, i) =>
        routeRow(rows, `router ${name}/${i}`, { to: { address: prefix, prefixLength }, via, metric }),
      ),
    ),
    nat: listOf(router.nat.map((rule, i) => natRow(rows, `${name}/${i}`, rule))),
    redirects: scalar(router.redirects),
    icmp_error_rate: optional(unless(ICMP_ERROR_RATE, router.icmpErrorRate)),
    max_connections: optional(unless(MAX_CONNECTIONS, router.maxConnections)),
    helpers_off: setOf(HELPERS.filter((helper) => !router.helpers.includes(helper))),
    timeouts: mapOf(
      spans.flatMap(([key, span, usual]) => (span === usual ? [] : [[key, span / MILLISECONDS] as const])),
    ),
  })
}

function routerInterfaceRow(rows: WantedRows, router: string, iface: RouterInterface): Reference {
  const { name, port, addresses, dhcp } = iface
  return rows.add('Router_Interface', `${router}/${name}`, {
    name: scalar(name),
    port: scalar(port),
    addresses: listOf(addresses.map(formatPrefix)),
    dhcp: optional(dhcp === undefined ? undefined : dhcpServerRow(rows, `${router}/${name}`, dhcp)),
  })
}
