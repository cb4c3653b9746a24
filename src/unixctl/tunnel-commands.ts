/** ovs/route/… and tnl/…: how tunnels reach their other ends, ovs-vswitchd(8) "OVS ROUTER" and "TUNNEL" COMMANDS. */
import { now } from '../../engine/sys/clock.ts'
import { SECOND } from '../../protocols/time.ts'
import { formatMac, parseMac } from '../../protocols/wire/ethernet.ts'
import {
  formatIp,
  formatIpPrefix,
  type IpPrefix,
  isMapped,
  isWhole,
  parseIp,
  parseIpPrefix,
} from '../tunnel/ip-prefix.ts'
import { TunnelNeighbors } from '../tunnel/tunnel-neighbors.ts'
import { type Surroundings, TunnelRoutes } from '../tunnel/tunnel-routes.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'

/** Seconds that a neighbour may be kept at the most. */
const MAX_AGING = 3600
const MAX_PORT = 65_535
const NO_GATEWAY = new Uint8Array(16)

export function tunnelCommands(surroundings: () => Surroundings): UnixctlCommand[] {
  const neighbors = new TunnelNeighbors()
  return [
    ...routeCommands(new TunnelRoutes(surroundings)),
    ...neighborCommands(neighbors, 'tnl/neigh'),
    ...neighborCommands(neighbors, 'tnl/arp'),
    portRangeCommand(),
    { name: 'tnl/ports/show', usage: '-v', min: 0, max: 1, run: () => 'Listening ports:\n' },
    { name: 'ofproto/list-tunnels', usage: '', min: 0, max: 0, run: () => '' },
  ]
}

/** @throws UnixctlError */
function prefixOf(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  if (prefix === undefined) throw new UnixctlError('Invalid parameters')
  return prefix
}

/** `pkt_mark=MARK`, if it is that. */
function markIn(text: string | undefined): number | undefined {
  const digits = /^pkt_mark=(0x[0-9a-f]+|\d+)/i.exec(text ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits) >>> 0
}

/** @throws UnixctlError */
function markOf(text: string | undefined): number {
  const mark = text === undefined ? 0 : markIn(text)
  if (mark === undefined) throw new UnixctlError('Invalid pkt_mark')
  return mark
}

function routeCommands(routes: TunnelRoutes): UnixctlCommand[] {
  return [
    {
      name: 'ovs/route/add',
      usage: 'ip_addr/prefix_len out_br_name [gw] [pkt_mark=mark]',
      min: 2,
      max: 4,
      run: ([text, device, third, fourth]) => {
        const to = prefixOf(text)
        const early = markIn(third)
        let gateway: Uint8Array | undefined
        if (third !== undefined && early === undefined) {
          gateway = parseIp(third)
          if (gateway === undefined || isMapped(gateway) !== isMapped(to.address)) {
            throw new UnixctlError(`Invalid pkt_mark or ${isMapped(to.address) ? '' : 'IPv6 '}gateway`)
          }
        }
        const mark = fourth === undefined ? (early ?? 0) : markOf(fourth)
        if (!routes.add({ to, mark, device, gateway })) throw new UnixctlError('Error while inserting route.')
        return 'OK'
      },
    },
    {
      name: 'ovs/route/del',
      usage: 'ip_addr/prefix_len [pkt_mark=mark]',
      min: 1,
      max: 2,
      run: ([text, mark]) => {
        if (!routes.remove(prefixOf(text), markOf(mark))) throw new UnixctlError('Not found')
        return 'OK'
      },
    },
    {
      name: 'ovs/route/lookup',
      usage: 'ip_addr [pkt_mark=mark]',
      min: 1,
      max: 2,
      run: ([text, mark]) => {
        const prefix = prefixOf(text)
        if (!isWhole(prefix)) throw new UnixctlError('Invalid parameters')
        const route = routes.lookup(prefix.address, markOf(mark))
        if (route === undefined) throw new UnixctlError('Not found')
        const gateway = formatIp(route.gateway ?? NO_GATEWAY)
        return `src ${formatIp(route.source)}\ngateway ${gateway}\ndev ${route.device}\n`
      },
    },
    {
      name: 'ovs/route/show',
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        const lines = routes
          .all()
          .map(({ to, mark, device, gateway, origin, source }) =>
            [
              `${origin === 'user' ? 'User' : 'Cached'}: ${formatIpPrefix(to)}`,
              ...(mark === 0 ? [] : [`MARK ${mark}`]),
              `dev ${device}`,
              ...(gateway === undefined ? [] : [`GW ${formatIp(gateway)}`]),
              `SRC ${formatIp(source)}`,
              ...(origin === 'local' ? ['local'] : []),
            ].join(' '),
          )
        return ['Route Table:', ...lines, ''].join('\n')
      },
    },
  ]
}

const HEAD = `IP                                            MAC                 Bridge\n${'='.repeat(74)}\n`

function neighborCommands(neighbors: TunnelNeighbors, family: string): UnixctlCommand[] {
  return [
    {
      name: `${family}/show`,
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        const lines = neighbors
          .all(now())
          .map(({ address, mac, bridge }) => `${formatIp(address).padEnd(46)}${formatMac(mac)}   ${bridge}\n`)
        return HEAD + lines.join('')
      },
    },
    {
      name: `${family}/set`,
      usage: 'BRIDGE IP MAC',
      min: 3,
      max: 3,
      run: ([bridge, ip, hardware]) => {
        const address = parseIp(ip)
        if (address === undefined) throw new UnixctlError('bad IP address')
        const mac = parseMac(hardware)
        if (mac === undefined) throw new UnixctlError('bad MAC address')
        neighbors.set({ bridge, address, mac }, now())
        return 'OK'
      },
    },
    {
      name: `${family}/flush`,
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        neighbors.flush()
        return 'OK'
      },
    },
    {
      name: `${family}/aging`,
      usage: '[SECS]',
      min: 0,
      max: 1,
      run: ([text]) => {
        if (text === undefined) return String(neighbors.aging / SECOND)
        const seconds = Number(/^\d+/.exec(text)?.[0] ?? 0)
        if (seconds === 0 || seconds > MAX_AGING) throw new UnixctlError('bad aging value')
        neighbors.age(seconds * SECOND, now())
        return 'OK'
      },
    },
  ]
}

/** UDP ports that tunnels send from; refusals come as answers, as in Open vSwitch. */
function portRangeCommand(): UnixctlCommand {
  let range: readonly [number, number] = [32_768, 61_000]
  const portOf = (text: string) => Number(/^\d+/.exec(text)?.[0] ?? 0)
  return {
    name: 'tnl/egress_port_range',
    usage: 'min max',
    min: 0,
    max: 2,
    run: (args) => {
      if (args.length < 2) return `Tunnel UDP source port range: ${range[0]}-${range[1]}\n`
      const [low, high] = args.map(portOf)
      if (low === 0 || low > MAX_PORT) return 'Invalid min.'
      if (high === 0 || high > MAX_PORT) return 'Invalid max.'
      range = [Math.min(low, high), Math.max(low, high)]
      return 'OK'
    },
  }
}
