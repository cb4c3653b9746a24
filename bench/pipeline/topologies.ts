import type { Datapath } from '../../engine/datapath.ts'
import { type RouterSpec, TRUNK_ALL, type VlanSettings } from '../../engine/dpif.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import * as arp from '../../protocols/wire/arp.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'
import { udpFrame } from '../support/frames.ts'
import type { Frames, Generator } from '../support/generator.ts'
import { Builder, NOTHING } from './builder.ts'

/** A datapath in memory whose port 1 brings frames for ever. */
export interface Pipeline {
  readonly datapath: Datapath
  readonly source: Generator
  readonly sink: Generator
  /** Where frames are sent to a station that a router asks, from time to time, whether it is still there: it is. */
  readonly answer?: () => void
}

export interface Traffic {
  readonly size: number
  /** Different UDP source and destination ports, one after the other. */
  readonly flows: number
}

const ip = (text: string) => parseIpv4(text) as number
export const MAC_A = 0x020000000001
export const MAC_B = 0x020000000002
const MAC_RT_IN = 0x0200000000f1
const MAC_RT_OUT = 0x0200000000f2

function access(tag: number): VlanSettings {
  return { ...TRUNK_ALL, mode: 'access', tag }
}

/** Frames of one flow after the other differ in these. */
const sourcePort = (flow: number) => 1024 + (flow % 60_000)
const destinationPort = (flow: number) => 5000 + Math.floor(flow / 60_000)

function frames(traffic: Traffic, dst: number, from: string, to: string): Frames {
  const addresses = { dst, src: MAC_A, from: ip(from), to: ip(to) }
  return {
    count: traffic.flows,
    at: (n) =>
      udpFrame({
        ...addresses,
        srcPort: sourcePort(n),
        dstPort: destinationPort(n),
        size: traffic.size,
      }),
  }
}

export function answerFrom(mac: number): Uint8Array {
  return udpFrame({ dst: MAC_A, src: mac, from: 0, to: 0, srcPort: 1, dstPort: 1, size: 64 })
}

/** Two ports of one bridge. @param rules more than its NORMAL */
export function bridged(traffic: Traffic, ...rules: string[]): Pipeline {
  const b = new Builder()
  b.bridge('br')
  const mods = rules.map((rule) => parseFlowLine(rule, undefined, 'add'))
  if (mods.length > 0) b.commands.flowMod('br', mods, true)
  const source = b.port('br', 'a', TRUNK_ALL, frames(traffic, MAC_B, '10.0.0.1', '10.0.0.2'))
  const sink = b.port('br', 'b', TRUNK_ALL, NOTHING)
  b.hear(sink, answerFrom(MAC_B))
  return { datapath: b.datapath, source, sink }
}

/** The same with a rule for each of the first `count` flows. */
export function ruled(traffic: Traffic, count: number): Pipeline {
  const rules = Array.from({ length: count }, (_, flow) => {
    const ports = `tp_src=${sourcePort(flow)},tp_dst=${destinationPort(flow)}`
    return `priority=100,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,${ports},actions=NORMAL`
  })
  return bridged(traffic, ...rules)
}

/** From an access port of VLAN 10 to a trunk: a tag is pushed. */
export function tagged(traffic: Traffic): Pipeline {
  const b = new Builder()
  b.bridge('br')
  const source = b.port('br', 'a', access(10), frames(traffic, MAC_B, '10.0.0.1', '10.0.0.2'))
  const sink = b.port('br', 'b', TRUNK_ALL, NOTHING)
  b.hear(
    sink,
    udpFrame({ dst: MAC_A, src: MAC_B, from: 0, to: 0, srcPort: 1, dstPort: 1, size: 68, vlan: 10 }),
  )
  return { datapath: b.datapath, source, sink }
}

/** Frames with a label, which is taken off before the bridge forwards what is behind it. */
export function popped(traffic: Traffic): Pipeline {
  const b = new Builder()
  b.bridge('br')
  const label = (frame: Uint8Array) =>
    Uint8Array.from([...frame.subarray(0, 12), 0x88, 0x47, 0, 0, 0x51, 0x40, ...frame.subarray(14)])
  const payload = frames({ ...traffic, size: traffic.size - 4 }, MAC_B, '10.0.0.1', '10.0.0.2')
  const source = b.port('br', 'a', TRUNK_ALL, {
    count: payload.count,
    at: (i) => label(payload.at(i)),
  })
  const sink = b.port('br', 'b', TRUNK_ALL, NOTHING)
  b.commands.flowMod('br', [parseFlowLine('mpls,actions=pop_mpls:0x0800,NORMAL', undefined, 'add')], true)
  b.hear(sink, answerFrom(MAC_B))
  return { datapath: b.datapath, source, sink }
}

/** Across `count` bridges joined by patch ports. */
export function patched(traffic: Traffic, count: number): Pipeline {
  const b = new Builder()
  for (let i = 0; i < count; i++) b.bridge(`br${i}`)
  for (let i = 1; i < count; i++) b.patch(`r${i - 1}`, `br${i - 1}`, `l${i}`, `br${i}`)
  const source = b.port('br0', 'a', TRUNK_ALL, frames(traffic, MAC_B, '10.0.0.1', '10.0.0.2'))
  const sink = b.port(`br${count - 1}`, 'b', TRUNK_ALL, NOTHING)
  b.hear(sink, answerFrom(MAC_B))
  return { datapath: b.datapath, source, sink }
}

/** Through a router between two bridges, with SNAT if asked for. */
export function routed(traffic: Traffic, snat: boolean, maxConnections = 1 << 20): Pipeline {
  const b = new Builder()
  b.bridge('in')
  b.bridge('out')
  const prefix = (text: string, prefixLength: number) => ({ prefix: ip(text), prefixLength })
  const spec: RouterSpec = {
    name: 'rt',
    interfaces: [
      {
        name: 'eth0',
        mac: MAC_RT_IN,
        mtu: 65_535,
        addresses: [{ address: ip('10.0.0.254'), prefixLength: 24 }],
        services: [],
      },
      {
        name: 'eth1',
        mac: MAC_RT_OUT,
        mtu: 65_535,
        addresses: [{ address: ip('192.168.100.11'), prefixLength: 24 }],
        services: [],
      },
    ],
    routes: [],
    nat: snat
      ? [
          {
            type: 'snat',
            source: prefix('10.0.0.0', 24),
            notDestination: prefix('10.0.0.0', 24),
            to: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25].map((last) => ({
              first: ip(`192.168.100.${last}`),
              last: ip(`192.168.100.${last}`),
            })),
            ports: { first: 1024, last: 65535 },
            filtering: 'address-and-port-dependent',
          },
        ]
      : [],
    helpers: ['ftp', 'tftp'],
    redirects: false,
    icmpErrorRate: 1000,
    maxConnections,
    timeouts: { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 300_000, icmp: 60_000 },
  }
  b.commands.routerPut(spec)
  const kind = (iface: string) => ({ type: 'router', router: 'rt', interface: iface }) as const
  b.commands.portPut({ name: 'rt.eth0', bridge: 'in', vlan: TRUNK_ALL, kind: kind('eth0') })
  b.commands.portPut({ name: 'rt.eth1', bridge: 'out', vlan: TRUNK_ALL, kind: kind('eth1') })
  const source = b.port('in', 'a', TRUNK_ALL, frames(traffic, MAC_RT_IN, '10.0.0.1', '192.168.100.1'))
  const sink = b.port('out', 'b', TRUNK_ALL, NOTHING)
  const says = (operation: number) =>
    b.hear(sink, arpFrame(operation, MAC_B, ip('192.168.100.1'), MAC_RT_OUT, ip('192.168.100.11')))
  says(arp.REQUEST)
  return { datapath: b.datapath, source, sink, answer: () => says(arp.REPLY) }
}

function arpFrame(operation: number, sha: number, spa: number, tha: number, tpa: number): Uint8Array {
  const frame = new Uint8Array(64)
  ethernet.emit({ dst: tha, src: sha, type: 0x0806 }, frame, 0)
  arp.emit({ operation, sha, spa, tha, tpa }, frame, ethernet.HEADER_LEN)
  return frame
}

/** Ways through the switch that are measured, by name. */
export const SCENARIOS: Record<string, (traffic: Traffic) => Pipeline> = {
  bridge: bridged,
  'vlan push': tagged,
  'mpls pop': popped,
  '8 bridges': (traffic) => patched(traffic, 8),
  routed: (traffic) => routed(traffic, false),
  snat: (traffic) => routed(traffic, true),
}
