/** The lab that is fuzzed, and the frames of an ordinary day in it, to be damaged. */
import type { LocalOptions } from '../../engine/dpif-local.ts'
import { put48 } from '../../protocols/wire/big-endian.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as icmp from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import { ip } from '../support/dhcp.ts'
import { MemoryLab, netnsLab } from '../support/memory-lab.ts'
import type { Station } from '../support/station.ts'
import type { Session } from '../support/tcp-session.ts'
import type { Aim } from './aimed-frames.ts'

export const OUTSIDE = ip('192.168.100.1')
export const FAR = ip('203.0.113.1')
export const EXTERNAL = ip('192.168.100.11')
/** Bounds of its tables. */
export const FLOW_LIMIT = 4096
export const MAC_TABLE = 512
export const MAX_CONNECTIONS = 2000
export const LEASE_SECONDS = 600
const INNER = ip('10.0.0.254')

/** The example network with a port of every VLAN mode, a bridge behind a patch, and a forwarding rule. */
export function wildLab(options: Partial<LocalOptions> = {}): MemoryLab {
  const config = netnsLab()
  config.bridges['br-in'].macTableSize = MAC_TABLE
  config.bridges['br-in'].ports = {
    access: { type: 'tap', tag: 10 },
    trunk: { type: 'tap', trunks: [10, 20, 30] },
    untagged: { type: 'tap', vlanMode: 'native-untagged', tag: 20, trunks: [10, 20] },
    tagged: { type: 'tap', vlanMode: 'native-tagged', tag: 20, trunks: [10, 20] },
    tunnel: { type: 'tap', vlanMode: 'dot1q-tunnel', tag: 30 },
    'to-third': { type: 'patch', peer: 'to-in' },
  }
  config.bridges.third = { ports: { 'to-in': { type: 'patch', peer: 'to-third' }, beyond: { type: 'tap' } } }
  config.routers.rt.connections = { max: MAX_CONNECTIONS }
  config.routers.rt.interfaces.eth0.dhcp.leaseTime = LEASE_SECONDS
  config.routers.rt.nat.push({
    type: 'dnat',
    protocol: 'tcp',
    address: '192.168.100.11',
    port: 8080,
    to: '10.0.0.1:80',
  })
  return new MemoryLab(config, { flowLimit: FLOW_LIMIT, ...options })
}

/** Everything that is supposed to work, tried; a list of what did not. */
export function tryEverything(lab: MemoryLab): string[] {
  const failures: string[] = []
  const want = (what: string, worked: boolean) => {
    if (!worked) failures.push(what)
  }
  const vm1 = lab.station('vm1')
  const vm2 = lab.station('vm2')
  const outside = lab.station('outside')
  for (const s of lab.stations.values()) s.flushNeighbors()
  vm2.address = undefined
  const client = vm2.startDhcp()
  lab.advance(5000)
  want('a lease', vm2.address !== undefined)
  want('a ping to the router', vm1.ping(INNER))
  want('a ping across NAT', vm1.ping(FAR))
  want('a ping of the one with the lease', vm2.ping(OUTSIDE))
  want('a datagram across NAT', vm1.echo(OUTSIDE))
  const session = vm1.connect(FAR)
  want('a TCP session', session?.exchange() === true && session.exchange())
  const forwarded = outside.connect(EXTERNAL, 8080)
  want('a forwarded TCP session', forwarded?.exchange() === true)
  client.release()
  lab.run()
  return failures
}

/** A session that outlives what comes. */
export function longSession(lab: MemoryLab): Session {
  const session = lab.station('vm1').connect(FAR, 80, 55_555)
  if (session?.exchange() !== true) throw new Error('no session')
  return session
}

/** What each port is made to send, by name of its station; those beside the router more than others. */
export function aims(lab: MemoryLab): [station: string, aim: Aim][] {
  const near = ['vm1', 'vm2', 'outside', 'br-ex'].map((n): [string, Station] => [n, lab.station(n)])
  const stations = [...near, ...near, ...lab.stations]
  const [inner, outer] = lab.network.routers[0].interfaces
  const anywhere = [INNER, EXTERNAL, OUTSIDE, FAR, ip('8.8.8.8'), ip('224.0.0.1'), 0, ipv4.BROADCAST]
  const inside = [ip('10.0.0.1'), ip('10.0.0.9'), ip('10.0.0.151'), ip('10.0.0.200')]
  const outsiders = [OUTSIDE, FAR, ip('192.168.100.21'), ip('192.168.100.77'), ip('8.8.8.8')]
  return stations.map(([name, station]) => {
    const out = name === 'outside' || name === 'br-ex'
    const router = out ? outer.mac : inner.mac
    return [
      name,
      {
        mac: station.mac,
        macs: [...new Array(16).fill(router), ...stations.map(([, s]) => s.mac), ethernet.BROADCAST],
        from: [...(out ? outsiders : inside), ...(out ? outsiders : inside), ...anywhere],
        to: [...(out ? [EXTERNAL, EXTERNAL, EXTERNAL] : outsiders), ...inside, ...anywhere],
        vlans: [0, 0, 1, 10, 20, 30, 4095],
      },
    ]
  })
}

/** Every frame that crossed any port while all of it was tried, and ICMP errors about some. */
export function ordinaryFrames(lab: MemoryLab): Uint8Array[] {
  const frames: Uint8Array[] = []
  lab.local.onEvent((event) => {
    if (event.type === 'capture') for (const f of event.frames) frames.push(f.frame)
  })
  const ports = lab.commands.ports().map((p) => p.name)
  for (const name of ports) lab.commands.captureStart(name, 1500)
  // Too long for the router's way out: fragments.
  lab.station('vm1').ping(FAR, 3000)
  const failures = tryEverything(lab)
  if (failures.length > 0) throw new Error(failures.join())
  for (const name of ports) lab.commands.captureStop(name)
  const [inner, outer] = lab.network.routers[0].interfaces
  for (const f of [...frames]) {
    if (ethernet.type(f, 0) !== ethernet.TYPE_IPV4 || f.length > 600) continue
    frames.push(errorAbout(f, outer.mac), errorAbout(f, inner.mac))
  }
  return frames
}

/** An ICMP error that quotes the datagram in a frame, on its way back to who sent it. */
function errorAbout(frame: Uint8Array, dst: number): Uint8Array {
  const message = new Uint8Array(600)
  const length = icmp.emitError(icmp.DESTINATION_UNREACHABLE, icmp.HOST_UNREACHABLE, 0, frame, 14, message, 0)
  const out = new Uint8Array(34 + length)
  put48(out, 0, dst)
  put48(out, 6, 0x02_00_00_00_00_99)
  out[12] = 8
  ipv4.emit(
    {
      src: OUTSIDE,
      dst: ipv4.src(frame, 14),
      protocol: ipv4.PROTO_ICMP,
      ttl: 64,
      payloadLength: length,
    },
    out,
    14,
  )
  out.set(message.subarray(0, length), 34)
  return out
}
