import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { put16, put32, put48 } from '../../protocols/wire/big-endian.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import { repairChecksums } from '../fuzz/frames.ts'
import { ask, ip } from '../support/dhcp.ts'
import { MemoryLab, netnsLab } from '../support/memory-lab.ts'
import type { Station } from '../support/station.ts'
import type { Session } from '../support/tcp-session.ts'

const OUTSIDE = ip('192.168.100.1')
const FAR = ip('203.0.113.1')
const EXTERNAL = ip('192.168.100.11')
const MAX_CONNECTIONS = 65_536
const FLOW_LIMIT = 1 << 14
/** What the heap may grow by, with tables of megabytes allocated before the flood. */
const HEAP_GROWTH = 32 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is alive on the heap, in bytes. */
function heapAlive(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

interface Flooded {
  readonly lab: MemoryLab
  readonly attacker: Station
  readonly bystander: Station
  readonly session: Session
}

/** The example network with one more station on br-in, from which the flood comes, and a session under way. */
function prepare(change: (config: ReturnType<typeof netnsLab>) => void = () => {}): Flooded {
  const config = netnsLab()
  config.bridges['br-in'].ports = { attacker: { type: 'tap' } }
  config.routers.rt.connections = { max: MAX_CONNECTIONS }
  change(config)
  const lab = new MemoryLab(config, { flowLimit: FLOW_LIMIT })
  const bystander = lab.station('vm1')
  const session = bystander.connect(FAR)
  if (session?.exchange() !== true) throw new Error('no session before the flood')
  return { lab, attacker: lab.station('attacker'), bystander, session }
}

/**
 * Lets `count` frames come, 32 at a time, with a word of the bystander's every 1,000.
 * @param next puts the n-th frame, of the length returned, into `frame`
 * @param pace milliseconds in which a thousand of them come
 * @returns how often the bystander was not answered
 */
function flood(
  f: Flooded,
  from: Station,
  count: number,
  next: (n: number, frame: Uint8Array) => number,
  pace = 10,
): number {
  const { lab, session, bystander } = f
  const frame = new Uint8Array(1514)
  let unanswered = 0
  const heap = heapAlive()
  for (let n = 0; n < count; n++) {
    from.device.inject(frame.subarray(0, next(n, frame)))
    if (n % 32 === 31) lab.run()
    if (n % 1000 !== 999) continue
    lab.advance(pace)
    if (!session.exchange()) unanswered++
    if (!bystander.ping(OUTSIDE)) unanswered++
    const stats = lab.commands.stats()
    if (stats.flows > FLOW_LIMIT || stats.connections > MAX_CONNECTIONS) throw new Error('a table overflows')
  }
  lab.run()
  expect(heapAlive() - heap).toBeLessThan(HEAP_GROWTH)
  return unanswered
}

/** All is well again, and nothing is kept that should have gone. */
function expectCalm(f: Flooded): void {
  const { lab, bystander, session } = f
  lab.advance(60_000)
  expect(lab.pool.available).toBe(lab.pool.cells)
  expect(session.exchange()).toBe(true)
  expect(bystander.ping(FAR)).toBe(true)
  expect(bystander.connect(FAR)?.exchange()).toBe(true)
}

describe('the bystander keeps being served through', () => {
  it('a flood of 1,000,000 source addresses', () => {
    const f = prepare()
    const { fdb } = f.lab.local.datapath.topology.bridges.get('br-in')!
    const capacity = f.lab.network.bridges.find((b) => b.name === 'br-in')!.macTableSize
    let most = 0
    const unanswered = flood(f, f.attacker, 1_000_000, (n, frame) => {
      put48(frame, 0, 0x02_00_00_77_00_00 + (n & 3))
      put48(frame, 6, 0x02_10_00_00_00_00 + n)
      put16(frame, 12, 0x88b5)
      most = Math.max(most, fdb.size)
      return 60
    })
    expect(unanswered).toBe(0)
    expect(most).toBeGreaterThan(capacity * 0.9)
    // One more for the router's own address, which is not learned.
    expect(most).toBeLessThanOrEqual(capacity + 1)
    expectCalm(f)
  })

  it('100,000 senders of ARP', () => {
    const f = prepare()
    const unanswered = flood(f, f.attacker, 100_000, (n, frame) => {
      // Requests for the router, announcements and answers nobody asked for, by senders in the subnet and not.
      // Every fiftieth claims to be the router.
      const inside = ip('10.0.0.0') + (n % 50 === 0 ? 254 : 2 + (n % 250))
      const spa = n % 2 === 0 ? inside : (0x0a00_0000 + n * 7) >>> 0
      return arpFrame(frame, 1 + (n % 3 === 2 ? 1 : 0), 0x02_20_00_00_00_00 + n, spa, ip('10.0.0.254'))
    })
    expect(unanswered).toBe(0)
    expect(f.lab.commands.neighbors('rt').filter((r) => r.interface === 'eth0').length).toBeLessThanOrEqual(
      256,
    )
    // 2,000 conflicts in a second are a line or two.
    expect(f.lab.log.length).toBeGreaterThan(0)
    expect(f.lab.log.length).toBeLessThanOrEqual(2)
    expectCalm(f)
  })

  it('100,000 senders of ARP on a subnet larger than the table', () => {
    const f = prepare((config) => {
      const wide = config.routers.rt.interfaces.eth0
      wide.address = '10.0.0.254/8'
    })
    const unanswered = flood(f, f.attacker, 100_000, (n, frame) =>
      arpFrame(frame, 1, 0x02_20_00_00_00_00 + n, ip('10.1.0.0') + n, ip('10.0.0.254')),
    )
    expect(unanswered).toBe(0)
    const rows = f.lab.commands.neighbors('rt').filter((r) => r.interface === 'eth0')
    expect(rows.length).toBeGreaterThan(4000)
    expect(rows.length).toBeLessThanOrEqual(4096)
    expectCalm(f)
  })

  it('a starvation by 100,000 DHCP clients', () => {
    const f = prepare()
    const { lab } = f
    const vm2 = lab.station('vm2')
    const client = vm2.startDhcp()
    lab.advance(3000)
    const address = vm2.address?.address
    expect(address).toBeDefined()
    const template = dhcpFrame(0)
    let most = 0
    const unanswered = flood(
      f,
      f.attacker,
      100_000,
      (n, frame) => {
        frame.set(template)
        put48(frame, 6, 0x02_30_00_00_00_00 + n)
        put32(frame, 42 + dhcp.XID, n)
        put48(frame, 42 + dhcp.CHADDR, 0x02_30_00_00_00_00 + n)
        repairChecksums(frame, 0, template.length)
        if (n % 1000 === 0) most = Math.max(most, lab.dhcp('rt', 'eth0').leases().length)
        return template.length
        // Slower than what an interface hands up to its services at the most.
      },
      60,
    )
    expect(unanswered).toBe(0)
    expect(lab.dhcp('rt', 'eth0').counters.discover).toBeGreaterThan(90_000)
    expect(most).toBe(10)
    expect(lab.log.filter((line) => line.includes('no address left'))).toHaveLength(1)
    expect(lab.log).toHaveLength(1)
    // Who has a lease keeps it past its renewal, and when the offers have lapsed a newcomer gets one.
    lab.advance(13 * 3_600_000)
    expect(client.state).toBe('bound')
    expect(vm2.address?.address).toBe(address)
    expect(vm2.ping(OUTSIDE)).toBe(true)
    f.attacker.startDhcp()
    lab.advance(3000)
    expect(f.attacker.ping(OUTSIDE)).toBe(true)
    expectCalm(f)
  })

  it('a flood of 200,000 SYNs from inside through NAT', () => {
    const f = prepare()
    const router = f.lab.network.routers[0].interfaces[0].mac
    const sessions = Array.from({ length: 100 }, () => f.bystander.connect(OUTSIDE))
    const unanswered = flood(f, f.attacker, 200_000, (n, frame) =>
      // To an address that takes the frames and answers nothing.
      synFrame(frame, router, f.attacker.mac, ip('10.0.0.100') + (n % 50), ip('203.0.113.9'), n),
    )
    expect(unanswered).toBe(0)
    const { connections } = f.lab.commands.stats()
    // All there are ports for, and not one more than the bound.
    expect(connections).toBeGreaterThan(60_000)
    expect(connections).toBeLessThanOrEqual(MAX_CONNECTIONS)
    for (const s of sessions) expect(s?.exchange()).toBe(true)
    expect(f.bystander.connect(FAR)?.exchange()).toBe(true)
    expect(f.bystander.echo(OUTSIDE)).toBe(true)
    expectCalm(f)
  })

  it('half a table of connections: the half-open ones make room, the established ones stay', () => {
    const f = prepare((config) => {
      config.routers.rt.connections = { max: 1000 }
    })
    const router = f.lab.network.routers[0].interfaces[0].mac
    const sessions = Array.from({ length: 500 }, () => f.bystander.connect(OUTSIDE))
    const unanswered = flood(f, f.attacker, 20_000, (n, frame) =>
      synFrame(frame, router, f.attacker.mac, ip('10.0.0.100'), ip('203.0.113.9'), n * 50),
    )
    expect(unanswered).toBe(0)
    expect(f.lab.commands.stats().connections).toBe(1000)
    for (const s of sessions) expect(s?.exchange()).toBe(true)
    expectCalm(f)
  })

  it('a flood of 200,000 SYNs from outside to the external address and to a forwarded port', () => {
    const f = prepare((config) => {
      const to = '10.0.0.77:80'
      const forward = { type: 'dnat', protocol: 'tcp', address: '192.168.100.11', port: 8080, to }
      config.routers.rt.nat.push(forward)
    })
    const router = f.lab.network.routers[0].interfaces[1].mac
    const from = f.lab.station('br-ex')
    const unanswered = flood(f, from, 200_000, (n, frame) => {
      const length = synFrame(frame, router, from.mac, (0x0800_0000 + n * 5) >>> 0, EXTERNAL, n)
      if (n % 2 === 0) put16(frame, 36, 8080)
      repairChecksums(frame, 0, length)
      return length
    })
    expect(unanswered).toBe(0)
    expect(f.lab.commands.stats().connections).toBeLessThanOrEqual(MAX_CONNECTIONS)
    expectCalm(f)
  })
})

function arpFrame(frame: Uint8Array, operation: number, sha: number, spa: number, tpa: number): number {
  put48(frame, 0, ethernet.BROADCAST)
  put48(frame, 6, sha)
  put16(frame, 12, ethernet.TYPE_ARP)
  put32(frame, 14, 0x0001_0800)
  put32(frame, 18, 0x0604_0000 + operation)
  put48(frame, 22, sha)
  put32(frame, 28, spa)
  put48(frame, 32, 0)
  put32(frame, 38, tpa)
  return 60
}

function synFrame(frame: Uint8Array, dst: number, src: number, from: number, to: number, n: number): number {
  frame.fill(0, 0, 54)
  put48(frame, 0, dst)
  put48(frame, 6, src)
  put16(frame, 12, ethernet.TYPE_IPV4)
  ipv4.emit({ src: from, dst: to, protocol: ipv4.PROTO_TCP, ttl: 64, payloadLength: 20 }, frame, 14)
  put16(frame, 34, 1024 + (Math.floor(n / 50) % 60_000))
  put16(frame, 36, 80)
  put32(frame, 38, n)
  frame[46] = 0x50
  frame[47] = tcp.SYN
  repairChecksums(frame, 0, 54)
  return 54
}

/** A DHCPDISCOVER as a broadcast. */
function dhcpFrame(mac: number): Uint8Array {
  const payload = dhcp.emit(ask(dhcp.DISCOVER, { mac }))
  const frame = new Uint8Array(42 + payload.length)
  put48(frame, 0, ethernet.BROADCAST)
  put16(frame, 12, ethernet.TYPE_IPV4)
  const length = 8 + payload.length
  ipv4.emit(
    { src: 0, dst: ipv4.BROADCAST, protocol: ipv4.PROTO_UDP, ttl: 64, payloadLength: length },
    frame,
    14,
  )
  put16(frame, 34, dhcp.CLIENT_PORT)
  put16(frame, 36, dhcp.SERVER_PORT)
  put16(frame, 38, length)
  frame.set(payload, 42)
  return frame
}
