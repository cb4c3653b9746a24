import { describe, expect, test } from 'vitest'
import { QUEUE_LENGTH } from '../../../engine/router/packet-queue.ts'
import * as arp from '../../../protocols/wire/arp.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import { bytes, DEFAULT_ROUTER, datagram, ip, Lab, ROUTER_MAC_0, ROUTER_MAC_1 } from './lab.ts'

const B = '192.168.100.1'

function stateOf(lab: Lab, address: string): string | undefined {
  return lab.local.commands.neighbors('rt').find((n) => n.address === ip(address))?.state
}

describe('resolution', () => {
  test('RFC 1122 §2.3.2.2: the packet that caused the request is sent once it is answered', () => {
    const lab = new Lab()
    lab.b.answers = false
    lab.a.sendUdp(B, 9)
    expect(lab.b.take().map((s) => s.arp)).toEqual([
      { operation: arp.REQUEST, sha: ROUTER_MAC_1, spa: ip('192.168.100.11'), tha: 0, tpa: ip(B) },
    ])
    expect(stateOf(lab, B)).toBe('incomplete')
    lab.b.sendArp({ operation: arp.REPLY, tha: ROUTER_MAC_1, tpa: ip('192.168.100.11') }, ROUTER_MAC_1)
    const [seen] = lab.b.takeIp()
    expect(seen.ip).toMatchObject({ ttl: 63, src: ip('10.0.0.1') })
    expect(stateOf(lab, B)).toBe('reachable')
    expect(lab.drops()).toEqual({})
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('packets wait in order, the latest are kept, the rest counted', () => {
    const lab = new Lab()
    lab.b.answers = false
    for (let i = 0; i < QUEUE_LENGTH + 5; i++) lab.a.sendUdp(B, 9, bytes(i))
    expect(lab.drops()).toEqual({ 'router-neighbor-queue-full': 5 })
    lab.b.take()
    lab.b.answers = true
    lab.advance(1000)
    expect(lab.b.takeIp().map((s) => s.payload.length - 8)).toEqual(
      Array.from({ length: QUEUE_LENGTH }, (_, i) => i + 5),
    )
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('all queues together hold no more than an eighth of the cells', () => {
    const lab = new Lab(DEFAULT_ROUTER, { cells: 256 })
    for (let host = 20; host < 220; host++) {
      for (let i = 0; i < 4; i++) lab.a.sendUdp(`192.168.100.${host}`, 9)
    }
    expect(lab.pool.cells - lab.pool.available).toBeLessThanOrEqual(256 / 8)
    // Meanwhile others are served.
    lab.a.ping('10.0.0.254')
    expect(lab.a.takeIp()).toHaveLength(1)
    lab.advance(10_000)
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('three requests a second apart, then every sender that waits is told', () => {
    const lab = new Lab()
    for (let i = 0; i < 4; i++) lab.a.sendUdp('192.168.100.77', 9 + i)
    lab.advance(2999)
    expect(lab.b.takeArp().filter((a) => a.tpa === ip('192.168.100.77'))).toHaveLength(3)
    expect(lab.a.takeIp()).toEqual([])
    lab.advance(1)
    const errors = lab.a.takeIp()
    expect(errors).toHaveLength(4)
    for (const e of errors) {
      expect(e.icmp).toMatchObject({ type: icmp.DESTINATION_UNREACHABLE, code: icmp.HOST_UNREACHABLE })
    }
    expect(stateOf(lab, '192.168.100.77')).toBe('failed')
    expect(lab.drops()).toEqual({ 'router-unresolved': 4 })
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('a host that comes up late is reached without waiting for anything', () => {
    const lab = new Lab()
    lab.a.sendUdp('192.168.100.77', 9)
    lab.advance(10_000)
    lab.a.take()
    const late = lab.station('br1', 'late', 0x02_00_00_00_00_77, '192.168.100.77', ROUTER_MAC_1)
    lab.a.sendUdp('192.168.100.77', 9)
    expect(late.takeIp()).toHaveLength(1)
  })

  test('a flow that is cached follows its next hop to another station', () => {
    const lab = new Lab()
    for (let i = 0; i < 3; i++) lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(3)
    const heir = lab.station('br1', 'heir', 0x02_00_00_00_00_99, B, ROUTER_MAC_1)
    lab.b.answers = false
    lab.advance(2000)
    // A new port drops flows by itself: let this one be cached again before the address moves.
    for (let i = 0; i < 3; i++) lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(3)
    // By the cache, that is, and no longer by the slow path that resolved it.
    const actions = lab.local.commands.megaflows(0, true).rows.map((row) => row.actions)
    expect(actions.filter((a) => a.includes('unresolved'))).toEqual([])
    heir.take()
    heir.sendArp({ operation: arp.REQUEST, tpa: ip(B) })
    heir.take()
    lab.a.sendUdp(B, 9)
    expect(heir.takeIp()[0].eth.dst).toBe(heir.mac)
  })

  test('a flow in use has its next hop verified by unicast, and goes when that is silent', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9)
    lab.b.answers = false
    lab.b.take()
    let requests: arp.Repr[] = []
    for (let s = 0; s < 80 && stateOf(lab, B) !== undefined; s++) {
      lab.a.sendUdp(B, 9)
      lab.advance(1000)
      const seen = lab.b.take()
      requests = requests.concat(
        seen.filter((f) => f.arp !== undefined && f.eth.dst === lab.b.mac).map((f) => f.arp!),
      )
      if (requests.length === 3) break
    }
    expect(requests).toHaveLength(3)
    lab.advance(1000)
    lab.a.sendUdp(B, 9)
    // Now it is asked for by broadcast again, and the packet waits.
    expect(lab.b.take().map((s) => s.arp?.tpa)).toEqual([ip(B)])
    expect(stateOf(lab, B)).toBe('incomplete')
  })

  test('a flow in use whose next hop answers never misses a packet', () => {
    const lab = new Lab()
    for (let s = 0; s < 300; s++) {
      lab.a.sendUdp(B, 9)
      lab.advance(1000)
    }
    expect(lab.b.takeIp()).toHaveLength(300)
    expect(lab.drops()).toEqual({})
    expect(stateOf(lab, B)).toMatch(/reachable|probe/)
  })
})

describe('answering', () => {
  test('a request for our address is answered by unicast', () => {
    const lab = new Lab()
    lab.a.sendArp({ tpa: ip('10.0.0.254') })
    const [reply, ...more] = lab.a.take()
    expect(more).toEqual([])
    expect(reply.eth).toMatchObject({ src: ROUTER_MAC_0, dst: lab.a.mac })
    expect(reply.arp).toEqual({
      operation: arp.REPLY,
      sha: ROUTER_MAC_0,
      spa: ip('10.0.0.254'),
      tha: lab.a.mac,
      tpa: ip('10.0.0.1'),
    })
    expect(stateOf(lab, '10.0.0.1')).toBe('stale')
  })

  test('an address of another interface is not answered for', () => {
    const lab = new Lab()
    lab.a.sendArp({ tpa: ip('192.168.100.11') })
    expect(lab.drops()).toEqual({})
    lab.a.sendArp({ tpa: ip('192.168.100.11') }, ROUTER_MAC_0)
    expect(lab.a.take()).toEqual([])
    expect(lab.drops()).toEqual({ 'arp-not-ours': 1 })
  })

  test('addresses of NAT are answered for on the subnet they lie in', () => {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      nat: [
        {
          type: 'snat',
          source: { prefix: ip('10.0.0.0'), prefixLength: 24 },
          to: [{ first: ip('192.168.100.50'), last: ip('192.168.100.51') }],
          ports: { first: 1024, last: 65535 },
          filtering: 'endpoint-independent',
        },
      ],
    })
    lab.b.sendArp({ tpa: ip('192.168.100.51') })
    expect(lab.b.takeArp()).toMatchObject([
      { operation: arp.REPLY, sha: ROUTER_MAC_1, spa: ip('192.168.100.51') },
    ])
    lab.b.sendArp({ tpa: ip('192.168.100.52') })
    expect(lab.b.takeArp()).toEqual([])
    lab.a.sendArp({ tpa: ip('192.168.100.51') })
    expect(lab.a.takeArp()).toEqual([])
  })

  test('malformed packets are counted', () => {
    const lab = new Lab()
    lab.a.sendArp({ sha: 0, tpa: ip('10.0.0.254') })
    expect(lab.a.take()).toEqual([])
    expect(lab.drops()).toEqual({ 'arp-malformed': 1 })
  })
})

describe('RFC 5227', () => {
  test('§2.1, §2.3: addresses are probed for and announced when the interface comes up', () => {
    const lab = new Lab(DEFAULT_ROUTER, { claim: true })
    lab.advance(20_000)
    const seen = lab.a.takeArp()
    expect(seen.map((a) => [a.operation, a.spa, a.tpa])).toEqual([
      ...Array(3).fill([arp.REQUEST, 0, ip('10.0.0.254')]),
      ...Array(2).fill([arp.REQUEST, ip('10.0.0.254'), ip('10.0.0.254')]),
    ])
  })

  test('§2.4: a conflict is defended and logged, neither again and again', () => {
    const lab = new Lab()
    for (let i = 0; i < 100; i++) {
      lab.a.sendArp({ spa: ip('10.0.0.254'), tpa: ip('10.0.0.254') })
      lab.advance(50)
    }
    expect(lab.a.takeArp()).toEqual([
      { operation: arp.REQUEST, sha: ROUTER_MAC_0, spa: ip('10.0.0.254'), tha: 0, tpa: ip('10.0.0.254') },
    ])
    const logs = lab.events.filter((e) => e.type === 'log')
    expect(logs).toEqual([
      {
        type: 'log',
        level: 'warn',
        message: 'router rt eth0: 10.0.0.254 is also used by 02:00:00:00:00:0a',
      },
    ])
  })

  test('§2.1.1: routerProbe finds an address in use, or free within half a second', () => {
    const lab = new Lab()
    lab.local.commands.routerProbe('rt', 'eth0', ip('10.0.0.1'))
    lab.run()
    expect(lab.events).toContainEqual({
      type: 'probe',
      router: 'rt',
      interface: 'eth0',
      address: ip('10.0.0.1'),
      inUse: true,
    })
    lab.local.commands.routerProbe('rt', 'eth0', ip('10.0.0.2'))
    lab.advance(500)
    expect(lab.events).toContainEqual({
      type: 'probe',
      router: 'rt',
      interface: 'eth0',
      address: ip('10.0.0.2'),
      inUse: false,
    })
    expect(() => lab.local.commands.routerProbe('rt', 'eth9', 1)).toThrow('no interface eth9')
  })
})

describe('robustness', () => {
  test('an ARP flood of 100,000 senders leaves the table bounded and others served', () => {
    const [eth0, eth1] = DEFAULT_ROUTER.interfaces
    const wide = { ...eth0, addresses: [{ address: ip('10.0.0.254'), prefixLength: 8 }] }
    const lab = new Lab({ ...DEFAULT_ROUTER, interfaces: [wide, eth1] })
    lab.a.sendUdp(B, 9)
    lab.b.sendUdp('10.0.0.1', 9)
    const { device } = lab.a
    const b = new Uint8Array(60)
    for (let i = 0; i < 100_000; i++) {
      const sha = 0x02_aa_00_00_00_00 + i
      b.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
      for (let k = 0; k < 6; k++) b[6 + k] = Math.floor(sha / 256 ** (5 - k)) & 0xff
      b[12] = 0x08
      b[13] = 0x06
      arp.emit({ operation: arp.REQUEST, sha, spa: 0x0a100000 + i, tha: 0, tpa: ip('10.0.0.254') }, b, 14)
      device.inject(b)
      if (i % 100 === 0) {
        lab.now += 1
        lab.local.step(lab.now)
        device.takeAllSent()
      }
    }
    lab.run()
    lab.a.take()
    expect(lab.local.commands.neighbors('rt').length).toBeLessThanOrEqual(4096 + 256)
    expect(lab.pool.available).toBe(lab.pool.cells)
    lab.b.take()
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
    lab.b.sendUdp('10.0.0.1', 9)
    expect(lab.a.takeIp()).toHaveLength(1)
  })

  test('a scan of a large subnet leaves the switch forwarding for others', () => {
    const [eth0, eth1] = DEFAULT_ROUTER.interfaces
    const wide = { ...eth1, addresses: [{ address: ip('192.168.100.11'), prefixLength: 16 }] }
    const lab = new Lab({ ...DEFAULT_ROUTER, interfaces: [eth0, wide] })
    lab.a.sendUdp(B, 9)
    lab.b.take()
    for (let i = 0; i < 20_000; i++) {
      const dst = `192.168.${(i >>> 8) + 128}.${i & 255}`
      lab.a.device.inject(frameTo(lab, dst))
      if (i % 64 === 0) {
        lab.now += 1
        lab.local.step(lab.now)
        lab.b.device.takeAllSent()
        lab.a.device.takeAllSent()
      }
    }
    lab.run()
    expect(lab.local.commands.neighbors('rt').length).toBeLessThanOrEqual(4096 + 256)
    expect(lab.pool.cells - lab.pool.available).toBeLessThanOrEqual(lab.pool.cells / 8)
    lab.b.take()
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
    lab.advance(20_000)
    expect(lab.pool.available).toBe(lab.pool.cells)
  })
})

function frameTo(lab: Lab, dst: string): Uint8Array {
  const packet = datagram({ src: '10.0.0.1', dst, payload: bytes(16) })
  const f = new Uint8Array(14 + packet.length)
  for (let k = 0; k < 6; k++) {
    f[k] = Math.floor(ROUTER_MAC_0 / 256 ** (5 - k)) & 0xff
    f[6 + k] = Math.floor(lab.a.mac / 256 ** (5 - k)) & 0xff
  }
  f[12] = 0x08
  f.set(packet, 14)
  return f
}
