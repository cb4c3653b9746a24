import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DpifError,
  type NatRuleSpec,
  type RouterSpec,
  TRUNK_ALL,
  type VlanSettings,
} from '../../engine/dpif.ts'
import { LocalDatapath } from '../../engine/dpif-local.ts'
import type { MemoryNetdev } from '../../engine/netdev/memory.ts'
import { seededRandom } from '../../protocols/random.ts'
import { ip } from '../support/dhcp.ts'
import { type Aim, AimedFrames } from './aimed-frames.ts'
import { ordinaryFrames, wildLab } from './wild-lab.ts'

const BRIDGES = ['br0', 'br1', 'br2']
const DEVICES = ['d0', 'd1', 'd2', 'd3']
const PATCHES = ['pa', 'pb', 'pc', 'pd']
const ROUTERS = ['r0', 'r1']
const INTERFACES = ['eth0', 'eth1']
const PORTS = [...DEVICES, ...PATCHES, ...ROUTERS.flatMap((r) => INTERFACES.map((i) => `${r}.${i}`))]

const macOf = (router: number, iface: number) => 0x02_00_00_00_01_00 + router * 16 + iface
const addressOf = (router: number, iface: number) => ip('10.0.0.0') + iface * 256 + 254 - router

const NAT: NatRuleSpec[] = [
  {
    type: 'masquerade',
    outInterface: 'eth1',
    to: [],
    ports: { first: 1024, last: 65_535 },
    filtering: 'address-dependent',
  },
  {
    type: 'dnat',
    protocol: 'tcp',
    address: addressOf(0, 1),
    ports: { first: 80, last: 90 },
    to: ip('10.0.0.1'),
  },
]

const vlan: fc.Arbitrary<VlanSettings> = fc.record({
  mode: fc.constantFrom('access', 'trunk', 'native-tagged', 'native-untagged', 'dot1q-tunnel'),
  tag: fc.constantFrom(0, 0, 10, 20),
  trunks: fc.constantFrom([], [10], [10, 20]),
  cvlans: fc.constantFrom([], [10]),
  priorityTags: fc.constantFrom('no', 'if-nonzero', 'always'),
  qinqEthertype: fc.constantFrom('802.1ad', '802.1q'),
})

/** Things done to a datapath. */
type Act =
  | { act: 'bridgePut'; name: string; size: number; aging: number }
  | { act: 'portPut'; name: string; bridge: string; vlan: VlanSettings; other: string; ofport: number }
  | { act: 'routerPut'; router: number; interfaces: number; nat: number; via: number; most: number }
  | { act: 'delete'; what: 'bridgeDelete' | 'portDelete' | 'routerDelete' | 'captureStop'; name: string }
  | { act: 'flush'; what: 'fdbFlush' | 'connectionsFlush'; name: string }
  | { act: 'capture'; name: string; snaplen: number }
  | { act: 'output'; what: 'portOutput' | 'routerOutput' | 'routerSend'; name: string; seed: number }
  | { act: 'probe'; router: string; iface: string }
  | { act: 'frames'; seed: number; count: number }
  | { act: 'pass'; ms: number }
  | { act: 'link'; name: string; up: boolean }

const anyName = fc.constantFrom(...BRIDGES, ...PORTS, ...ROUTERS, 'nobody')
const seed = fc.nat(1 << 30)
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('bridgePut' as const),
      name: fc.constantFrom(...BRIDGES),
      size: fc.constantFrom(16, 64, 300),
      aging: fc.constantFrom(15, 300),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('portPut' as const),
      name: fc.constantFrom(...PORTS),
      bridge: fc.constantFrom(...BRIDGES),
      vlan: fc.oneof(fc.constant(TRUNK_ALL), vlan),
      other: fc.constantFrom(...PATCHES),
      ofport: fc.constantFrom(0, 0, 0, 1, 2, 70_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('routerPut' as const),
      router: fc.nat(1),
      interfaces: fc.constantFrom(0, 1, 2, 3, 3, 3),
      nat: fc.nat(2),
      via: fc.constantFrom(0, ip('10.0.1.1'), ip('10.0.0.1'), ip('10.9.9.9')),
      most: fc.constantFrom(4, 64),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('delete' as const),
      what: fc.constantFrom('bridgeDelete', 'portDelete', 'routerDelete', 'captureStop'),
      name: anyName,
    }),
  },
  fc.record({
    act: fc.constant('flush' as const),
    what: fc.constantFrom('fdbFlush', 'connectionsFlush'),
    name: anyName,
  }),
  fc.record({ act: fc.constant('capture' as const), name: anyName, snaplen: fc.constantFrom(0, 60, 65_535) }),
  fc.record({
    act: fc.constant('output' as const),
    what: fc.constantFrom('portOutput', 'routerOutput', 'routerSend'),
    name: anyName,
    seed,
  }),
  fc.record({
    act: fc.constant('probe' as const),
    router: fc.constantFrom(...ROUTERS),
    iface: fc.constantFrom(...INTERFACES),
  }),
  { weight: 8, arbitrary: fc.record({ act: fc.constant('frames' as const), seed, count: fc.nat(60) }) },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.constantFrom(1, 1100, 7000, 70_000) }),
  },
  fc.record({
    act: fc.constant('link' as const),
    name: fc.constantFrom(...DEVICES),
    up: fc.boolean(),
  }),
)

function routerSpec(a: Extract<Act, { act: 'routerPut' }>): RouterSpec {
  const interfaces = INTERFACES.filter((_, i) => (a.interfaces & (1 << i)) !== 0).map((name) => {
    const i = INTERFACES.indexOf(name)
    return {
      name,
      mac: macOf(a.router, i),
      mtu: i === 0 ? 1500 : 576,
      addresses: [{ address: addressOf(a.router, i), prefixLength: 24 }],
      services: i === 0 ? [67] : [],
    }
  })
  return {
    name: ROUTERS[a.router],
    interfaces,
    routes: a.via === 0 ? [] : [{ prefix: 0, prefixLength: 0, via: a.via, metric: 0 }],
    nat: NAT.slice(0, a.nat),
    redirects: a.most === 4,
    icmpErrorRate: 1000,
    maxConnections: a.most,
    helpers: ['ftp', 'tftp'],
    timeouts: { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 300_000, icmp: 60_000 },
  }
}

const AIM: Aim = {
  mac: 0x02_00_00_00_00_01,
  macs: [0, 1, 0, 1].map((i, n) => macOf(n >> 1, i)).concat(0x02_00_00_00_00_02, 0xffff_ffff_ffff),
  from: [ip('10.0.0.1'), ip('10.0.1.1'), ip('10.0.0.9')],
  to: [ip('10.0.0.1'), ip('10.0.1.1'), ip('8.8.8.8'), addressOf(0, 0), addressOf(0, 1), addressOf(1, 1)],
  vlans: [0, 10, 20],
}

class World {
  readonly local = new LocalDatapath({ random: seededRandom(3), now: 1_000_000, cells: 128, flowLimit: 64 })
  readonly devices = new Map<string, MemoryNetdev>()
  readonly seeds: readonly Uint8Array[]
  now = 1_000_000

  constructor(seeds: readonly Uint8Array[]) {
    this.seeds = seeds
  }

  run(a: Act): void {
    const { commands } = this.local
    switch (a.act) {
      case 'bridgePut':
        commands.bridgePut({ name: a.name, agingTime: a.aging, macTableSize: a.size, forwardBpdu: false })
        break
      case 'portPut':
        this.#portPut(a)
        break
      case 'routerPut':
        commands.routerPut(routerSpec(a))
        break
      case 'delete':
      case 'flush':
        commands[a.what](a.name)
        break
      case 'capture':
        commands.captureStart(a.name, a.snaplen)
        break
      case 'output':
        this.#output(a)
        break
      case 'probe':
        commands.routerProbe(a.router, a.iface, ip('10.0.0.50'))
        break
      case 'frames':
        this.#frames(a)
        break
      case 'pass':
        this.pass(a.ms)
        break
      case 'link':
        this.#link(a)
    }
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (let due = this.local.pollAt(); due <= end; due = this.local.pollAt()) {
      this.now = Math.max(this.now, due)
      this.local.step(this.now)
    }
    this.now = end
    this.local.step(end)
  }

  #portPut(a: Extract<Act, { act: 'portPut' }>): void {
    const { name, bridge, vlan: settings, other, ofport } = a
    const spec = { name, bridge, vlan: settings, ...(ofport === 0 ? {} : { ofport }) }
    if (DEVICES.includes(name)) {
      if (!this.devices.has(name) || this.devices.get(name)?.state === 'gone') {
        this.devices.set(name, this.local.device({ name, onSend: () => {} }))
      }
      this.local.commands.portPut({ ...spec, kind: { type: 'memory', key: name } })
    } else if (PATCHES.includes(name)) {
      this.local.commands.portPut({ ...spec, kind: { type: 'patch', peer: other } })
    } else {
      const [router, iface] = name.split('.')
      this.local.commands.portPut({ ...spec, kind: { type: 'router', router, interface: iface } })
    }
  }

  #output(a: Extract<Act, { act: 'output' }>): void {
    const frames = new AimedFrames(seededRandom(a.seed), this.seeds)
    frames.next(AIM)
    const frame = frames.bytes.slice(0, frames.length)
    const { commands } = this.local
    if (a.what === 'portOutput') commands.portOutput(a.name, frame)
    else if (a.what === 'routerOutput')
      commands.routerOutput(ROUTERS[a.seed & 1], INTERFACES[a.seed & 1], frame)
    else commands.routerSend(ROUTERS[a.seed & 1], frame.subarray(14))
  }

  #frames(a: Extract<Act, { act: 'frames' }>): void {
    const random = seededRandom(a.seed)
    const frames = new AimedFrames(random, this.seeds)
    const open = [...this.devices.values()].filter((d) => d.state === 'up')
    for (let n = 0; n < a.count && open.length > 0; n++) {
      frames.next(AIM)
      open[random() % open.length].inject(frames.bytes.subarray(0, frames.length), frames.offload)
    }
    this.local.step(this.now)
  }

  #link(a: Extract<Act, { act: 'link' }>): void {
    const device = this.devices.get(a.name)
    const port = this.local.datapath.topology.portsByName.get(a.name)
    if (device === undefined || port === undefined || device.state === 'gone') return
    device.state = a.up ? 'up' : 'down'
    this.local.commands.linkChanged(port.portNo)
  }
}

/** Every dump can be had and agrees with the others. */
function expectConsistent(world: World): void {
  const { commands, datapath } = world.local
  const ports = new Map(commands.ports().map((p) => [p.name, p]))
  for (const bridge of datapath.topology.bridges.keys()) {
    const { rows } = commands.fdb(bridge, 0)
    for (const row of rows) expect(ports.get(row.port)?.bridge).toBe(bridge)
    const { size } = datapath.topology.bridges.get(bridge)!.fdb
    expect(rows).toHaveLength(size)
    expect(new Set(rows.map((r) => `${r.vlan} ${r.mac}`)).size).toBe(size)
  }
  const stats = commands.stats()
  const { rows } = commands.megaflows(0)
  expect(rows).toHaveLength(stats.flows)
  expect(stats.flows).toBeLessThanOrEqual(64)
  let connections = 0
  for (const router of ROUTERS) {
    try {
      commands.routes(router)
      for (const row of commands.neighbors(router)) expect(INTERFACES).toContain(row.interface)
      const page = commands.connections(router, 0)
      connections += page.rows.length
      expect(page.rows.length).toBeLessThanOrEqual(64)
    } catch (error) {
      if (!(error instanceof DpifError) || error.code !== 'ENOENT') throw error
    }
  }
  expect(connections).toBe(stats.connections)
}

describe('commands in any order, with damaged frames in between', () => {
  const seeds = ordinaryFrames(wildLab())

  it('throw nothing but DpifError, keep all dumps consistent and leak no packet', () => {
    fc.assert(
      fc.property(fc.array(anyAct, { minLength: 20, maxLength: 120, size: 'max' }), (acts) => {
        const world = new World(seeds)
        for (const act of acts) {
          try {
            world.run(act)
          } catch (error) {
            if (!(error instanceof DpifError)) throw error
          }
          expectConsistent(world)
        }
        const { commands, datapath } = world.local
        for (const name of ROUTERS) commands.routerDelete(name)
        for (const name of BRIDGES) commands.bridgeDelete(name)
        world.pass(120_000)
        expect(commands.stats()).toMatchObject({ flows: 0, connections: 0 })
        expect(commands.ports()).toEqual([])
        expect(datapath.pool.available).toBe(datapath.pool.cells)
      }),
      { numRuns: 150 },
    )
  })
})
