import type { RouteSpec } from '../../engine/dpif.ts'
import type { Prefix } from '../../protocols/wire/ipv4.ts'
import { HELPERS, ICMP_ERROR_RATE, MAX_CONNECTIONS, TIMEOUTS } from '../config/defaults.ts'
import type { Host, HostInterface, Router, RouterInterface } from '../config/network.ts'
import { dhcpServerOf } from './dhcp-of.ts'
import { natRulesOf } from './nat-of.ts'
import { deviceSettings, type Plug } from './port-of.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** UDP port of DHCP servers. */
const DHCP_SERVICE = 67
const MILLISECONDS = 1000

/** The ports that hosts and routers are plugged in by; each is taken once. */
export class Plugs {
  readonly #free: Map<string, Plug>

  constructor(plugs: readonly Plug[]) {
    this.#free = new Map(plugs.map((plug) => [plug.port, plug]))
  }

  take(kind: Plug['kind'], row: RowReader): Plug | undefined {
    const port = row.text('port')
    const plug = this.#free.get(port)
    if (plug?.kind === kind) {
      this.#free.delete(port)
      return plug
    }
    row.problem(`no bridge has a port "${port}" of type ${kind}`)
    return undefined
  }

  /** Tells of those that nobody has taken. */
  leave(): void {
    for (const { kind, port, iface } of this.#free.values()) {
      iface.problem(`no ${kind} of the Lab database has an interface with the port "${port}"`)
    }
  }
}

export function hostOf(lab: DatabaseReader, row: RowReader, plugs: Plugs): Host {
  const name = row.text('name')
  return {
    name,
    loopback: row.optionalFlag('loopback') ?? true,
    addresses: row.prefixes('addresses'),
    interfaces: lab
      .follow(row, 'interfaces', 'Host_Interface')
      .flatMap((iface) => hostInterfaceOf(name, iface, plugs) ?? []),
    routes: routesOf(lab, row).map(({ to, via }) => ({ to, via })),
    dns: row.addresses('dns'),
  }
}

function hostInterfaceOf(host: string, row: RowReader, plugs: Plugs): HostInterface | undefined {
  const plug = plugs.take('host', row)
  if (plug === undefined) return undefined
  const name = row.text('name')
  const addressing = row.text('addressing') as HostInterface['addressing']
  return {
    name,
    bridge: plug.bridge,
    port: plug.port,
    ...plug.settings,
    ...deviceSettings(plug.iface, 'host', host, name),
    addressing,
    addresses: addressing === 'static' ? row.prefixes('addresses') : [],
    gateway: row.address('gateway'),
  }
}

interface Route {
  readonly to: Prefix
  readonly via: number
  readonly metric: number
}

function routesOf(lab: DatabaseReader, row: RowReader): Route[] {
  const routes = lab.follow(row, 'routes', 'Route').flatMap((route): Route[] => {
    const to = route.prefix('to')
    const via = route.address('via')
    return to === undefined || via === undefined ? [] : [{ to, via, metric: route.number('metric') }]
  })
  return routes.sort(
    (a, b) =>
      a.to.address - b.to.address ||
      a.to.prefixLength - b.to.prefixLength ||
      a.metric - b.metric ||
      a.via - b.via,
  )
}

export function routerOf(lab: DatabaseReader, row: RowReader, plugs: Plugs): Router {
  const name = row.text('name')
  const off = row.texts('helpers_off')
  const timeouts = row.words('timeouts') as ReadonlyMap<string, unknown>
  const timeout = (key: string, otherwise: number) =>
    timeouts.has(key) ? Math.round(Number(timeouts.get(key)) * MILLISECONDS) : otherwise
  return {
    name,
    interfaces: lab
      .follow(row, 'interfaces', 'Router_Interface')
      .flatMap((iface) => routerInterfaceOf(lab, name, iface, plugs) ?? []),
    routes: routesOf(lab, row).map(
      ({ to, via, metric }): RouteSpec => ({
        prefix: to.address,
        prefixLength: to.prefixLength,
        via,
        metric,
      }),
    ),
    nat: natRulesOf(lab, row),
    redirects: row.flag('redirects'),
    icmpErrorRate: row.optionalNumber('icmp_error_rate') ?? ICMP_ERROR_RATE,
    maxConnections: row.optionalNumber('max_connections') ?? MAX_CONNECTIONS,
    helpers: HELPERS.filter((helper) => !off.includes(helper)),
    timeouts: {
      tcpEstablished: timeout('tcp_established', TIMEOUTS.tcpEstablished),
      tcpTransitory: timeout('tcp_transitory', TIMEOUTS.tcpTransitory),
      udp: timeout('udp', TIMEOUTS.udp),
      icmp: timeout('icmp', TIMEOUTS.icmp),
    },
  }
}

function routerInterfaceOf(
  lab: DatabaseReader,
  router: string,
  row: RowReader,
  plugs: Plugs,
): RouterInterface | undefined {
  const plug = plugs.take('router', row)
  if (plug === undefined) return undefined
  const name = row.text('name')
  const dhcp = dhcpServerOf(lab, row)
  return {
    name,
    bridge: plug.bridge,
    port: plug.port,
    vlan: plug.settings.vlan,
    ...deviceSettings(plug.iface, 'router', router, name),
    addresses: row.prefixes('addresses'),
    services: dhcp === undefined ? [] : [DHCP_SERVICE],
    dhcp,
  }
}
