import { describe, expect, test } from 'vitest'
import { put16 } from '../../../protocols/wire/big-endian.ts'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import {
  bytes,
  DEFAULT_ROUTER,
  datagram,
  frame,
  ip,
  Lab,
  ROUTER_MAC_0,
  ROUTER_MAC_1,
  udpPayload,
} from './lab.ts'

const B = '192.168.100.1'

describe('RFC 1812 §5.2 forwarding', () => {
  test('a datagram leaves by the interface of its route, TTL one less, addressed from us to the next hop', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9)
    const [seen, ...more] = lab.b.takeIp()
    expect(more).toEqual([])
    expect(seen.eth).toEqual({ dst: lab.b.mac, src: ROUTER_MAC_1, type: ethernet.TYPE_IPV4 })
    expect(seen.ip).toMatchObject({ src: ip('10.0.0.1'), dst: ip(B), ttl: 63, payloadLength: 40 })
    expect(lab.drops()).toEqual({})
  })

  test('the second packet of a flow is forwarded by the cache, in the same way', () => {
    const lab = new Lab()
    for (let i = 0; i < 3; i++) lab.a.sendUdp(B, 9)
    const { emcHits } = lab.local.commands.stats()
    lab.a.sendUdp(B, 9)
    expect(lab.local.commands.stats().emcHits).toBe(emcHits + 1)
    const seen = lab.b.takeIp()
    expect(seen).toHaveLength(4)
    for (const s of seen) expect(s.frame).toEqual(seen[0].frame)
  })

  test('a route covers its hosts with one megaflow: only needed bits are looked at', () => {
    const lab = new Lab()
    lab.a.sendUdp('8.8.8.8', 9)
    lab.b.take()
    const { upcalls } = lab.local.commands.stats()
    lab.a.sendUdp('8.8.8.9', 9)
    lab.a.sendUdp('8.8.9.9', 10)
    expect(lab.b.takeIp()).toHaveLength(2)
    expect(lab.local.commands.stats().upcalls).toBe(upcalls + 1)
    lab.a.sendUdp('8.7.1.1', 10)
    expect(lab.b.takeIp()).toHaveLength(1)
    expect(lab.local.commands.stats().upcalls).toBe(upcalls + 1)
  })

  test('§5.2.4.3: the longest prefix decides', () => {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      routes: [
        { prefix: 0, prefixLength: 0, via: ip(B), metric: 0 },
        { prefix: ip('172.16.0.0'), prefixLength: 12, via: ip('10.0.0.2'), metric: 0 },
        { prefix: ip('172.16.5.0'), prefixLength: 24, via: ip('10.0.0.3'), metric: 0 },
      ],
    })
    const n2 = lab.station('br0', 'n2', 0x02_00_00_00_00_22, '10.0.0.2', ROUTER_MAC_0)
    const n3 = lab.station('br0', 'n3', 0x02_00_00_00_00_33, '10.0.0.3', ROUTER_MAC_0)
    lab.b.send({ dst: '172.16.5.1', payload: udpPayload(B, '172.16.5.1', 1, 2, bytes(4)) })
    expect(n3.takeIp()).toHaveLength(1)
    lab.b.send({ dst: '172.16.6.1', payload: udpPayload(B, '172.16.6.1', 1, 2, bytes(4)) })
    expect(n2.takeIp()).toHaveLength(1)
  })

  test('a cached flow of one route does not catch packets of a longer prefix', () => {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      routes: [
        { prefix: ip('172.16.0.0'), prefixLength: 12, via: ip('10.0.0.2'), metric: 0 },
        { prefix: ip('172.16.5.0'), prefixLength: 24, via: ip('10.0.0.3'), metric: 0 },
      ],
    })
    const n2 = lab.station('br0', 'n2', 0x02_00_00_00_00_22, '10.0.0.2', ROUTER_MAC_0)
    const n3 = lab.station('br0', 'n3', 0x02_00_00_00_00_33, '10.0.0.3', ROUTER_MAC_0)
    // Several times, so that neighbours are known and the flows stay cached.
    for (let i = 0; i < 3; i++) lab.b.sendUdp('172.16.6.1', 9)
    for (let i = 0; i < 3; i++) lab.b.sendUdp('172.16.5.1', 9)
    for (let i = 0; i < 3; i++) lab.b.sendUdp('172.16.6.1', 9)
    expect(n2.takeIp().map((s) => s.ip!.dst)).toEqual(Array(6).fill(ip('172.16.6.1')))
    expect(n3.takeIp().map((s) => s.ip!.dst)).toEqual(Array(3).fill(ip('172.16.5.1')))
  })

  test('a cached flow to one neighbour does not catch packets to the next address', () => {
    const lab = new Lab()
    const n200 = lab.station('br1', 'n200', 0x02_00_00_00_02_00, '192.168.100.200', ROUTER_MAC_1)
    const n201 = lab.station('br1', 'n201', 0x02_00_00_00_02_01, '192.168.100.201', ROUTER_MAC_1)
    for (let i = 0; i < 3; i++) lab.a.sendUdp('192.168.100.200', 9)
    for (let i = 0; i < 3; i++) lab.a.sendUdp('192.168.100.201', 9)
    const to = (n: typeof n200) => n.takeIp().map((s) => [s.eth.dst, s.ip!.dst])
    expect(to(n200)).toEqual(Array(3).fill([n200.mac, ip('192.168.100.200')]))
    expect(to(n201)).toEqual(Array(3).fill([n201.mac, ip('192.168.100.201')]))
  })

  test('of equal prefixes the lower metric decides', () => {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      routes: [
        { prefix: 0, prefixLength: 0, via: ip('10.0.0.2'), metric: 20 },
        { prefix: 0, prefixLength: 0, via: ip(B), metric: 10 },
      ],
    })
    lab.a.sendUdp('8.8.8.8', 9)
    expect(lab.b.takeIp()).toHaveLength(1)
  })

  test('§5.3.1: a TTL of 2 passes, one of 1 or 0 ends in time exceeded', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9, bytes(8), { ttl: 2 })
    expect(lab.b.takeIp()[0].ip).toMatchObject({ ttl: 1 })
    for (const ttl of [1, 0]) {
      lab.a.sendUdp(B, 9, bytes(8), { ttl })
      expect(lab.b.takeIp()).toEqual([])
      const [error] = lab.a.takeIp()
      expect(error.ip).toMatchObject({ src: ip('10.0.0.254'), dst: ip('10.0.0.1') })
      expect(error.icmp).toMatchObject({ type: icmp.TIME_EXCEEDED, code: icmp.TTL_EXCEEDED })
      expect(ipv4.ttl(error.icmp!.data, 0)).toBe(ttl)
    }
    expect(lab.drops()).toEqual({ 'router-ttl-expired': 2 })
  })

  test('§5.3.1: a TTL of 1 does not keep a datagram from the router itself', () => {
    const lab = new Lab()
    lab.a.ping('10.0.0.254', 8, { ttl: 1 })
    expect(lab.a.takeIp()[0].icmp?.type).toBe(icmp.ECHO_REPLY)
  })

  test('frames for other stations are not for us', () => {
    const lab = new Lab()
    const packet = datagram({
      src: '10.0.0.1',
      dst: B,
      payload: udpPayload('10.0.0.1', B, 1, 2, bytes(4)),
    })
    lab.a.sendRaw(packet, 0x02_00_00_00_77_77)
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-not-for-us': 1 })
  })

  test('IPv6 is not routed', () => {
    const lab = new Lab()
    const v6 = new Uint8Array(48)
    v6[0] = 0x60
    put16(v6, 4, 8)
    v6[6] = 17
    lab.a.device.inject(frame(ROUTER_MAC_0, lab.a.mac, ethernet.TYPE_IPV6, v6))
    lab.run()
    expect(lab.drops()).toEqual({ 'router-not-ip': 1 })
  })

  test('two routers in a row', () => {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      routes: [{ prefix: ip('172.20.0.0'), prefixLength: 16, via: ip('192.168.100.12'), metric: 0 }],
    })
    const { commands } = lab.local
    commands.routerPut({
      ...DEFAULT_ROUTER,
      name: 'rt2',
      interfaces: [
        {
          name: 'eth0',
          mac: 0x02_00_00_00_02_00,
          mtu: 1500,
          addresses: [{ address: ip('192.168.100.12'), prefixLength: 24 }],
          services: [],
        },
        {
          name: 'eth1',
          mac: 0x02_00_00_00_02_01,
          mtu: 1500,
          addresses: [{ address: ip('172.20.0.254'), prefixLength: 16 }],
          services: [],
        },
      ],
      routes: [{ prefix: 0, prefixLength: 0, via: ip('192.168.100.11'), metric: 0 }],
    })
    const c = lab.station('br2', 'c', 0x02_00_00_00_00_0c, '172.20.0.1', 0x02_00_00_00_02_01)
    const vlan =
      commands.ports().length > 0 ? lab.local.datapath.topology.portsByName.get('a')!.vlan : undefined
    for (const [name, bridge, iface] of [
      ['rt2-0', 'br1', 'eth0'],
      ['rt2-1', 'br2', 'eth1'],
    ]) {
      const kind = { type: 'router', router: 'rt2', interface: iface } as const
      commands.portPut({ name, bridge, vlan: vlan!, kind })
    }
    lab.advance(20_000)
    c.take()
    lab.a.ping('172.20.0.1')
    expect(c.takeIp()[0]).toMatchObject({ ip: { ttl: 62 }, icmp: { type: icmp.ECHO_REQUEST } })
    c.ping('10.0.0.1')
    expect(lab.a.takeIp()[0]).toMatchObject({ ip: { ttl: 62 }, icmp: { type: icmp.ECHO_REQUEST } })
    // traceroute: the second router answers for itself.
    lab.a.sendUdp('172.20.0.1', 33434, bytes(8), { ttl: 2 })
    expect(lab.a.takeIp()[0]).toMatchObject({
      ip: { src: ip('192.168.100.12') },
      icmp: { type: icmp.TIME_EXCEEDED },
    })
    expect(lab.drops()).toEqual({ 'router-ttl-expired': 1 })
  })
})

describe('RFC 1812 §5.2.2 header validation', () => {
  test('(3) a wrong header checksum', () => {
    const lab = new Lab()
    const packet = datagram({ src: '10.0.0.1', dst: B, payload: udpPayload('10.0.0.1', B, 1, 2, bytes(4)) })
    packet[10] ^= 1
    lab.a.sendRaw(packet)
    // Also of a flow that is known to be good.
    lab.a.sendUdp(B, 2)
    lab.a.sendRaw(packet)
    expect(lab.b.takeIp()).toHaveLength(1)
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-bad-checksum': 2 })
  })

  test.each([
    ['(1) a datagram too short', (p: Uint8Array) => p.subarray(0, 18)],
    ['(2) a version other than 4', (p: Uint8Array) => p.fill(0x65, 0, 1)],
    ['(4) a header length below 5', (p: Uint8Array) => p.fill(0x44, 0, 1)],
    ['(5) a total length beyond the frame', (p: Uint8Array) => p.fill(0x7f, 2, 3)],
    ['(5) a total length below the header', (p: Uint8Array) => p.fill(0, 2, 3).fill(10, 3, 4)],
  ])('%s', (_name, damage) => {
    const lab = new Lab()
    const packet = datagram({ src: '10.0.0.1', dst: B, payload: udpPayload('10.0.0.1', B, 1, 2, bytes(4)) })
    lab.a.sendRaw(damage(packet))
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-bad-header': 1 })
  })
})

describe('RFC 1812 §5.3.7 martians', () => {
  test.each(['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.5', '240.0.0.1', '255.255.255.255', '10.0.0.255'])(
    'from %s',
    (src) => {
      const lab = new Lab()
      lab.a.sendRaw(datagram({ src, dst: B, payload: udpPayload(src, B, 1, 2, bytes(4)) }))
      expect(lab.b.takeIp()).toEqual([])
      expect(lab.a.takeIp()).toEqual([])
      expect(lab.drops()).toEqual({ 'router-martian-source': 1 })
    },
  )

  test.each(['10.0.0.254', '192.168.100.11'])('from our own address %s', (src) => {
    const lab = new Lab()
    lab.a.sendRaw(datagram({ src, dst: B, payload: udpPayload(src, B, 1, 2, bytes(4)) }))
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-martian-source': 1 })
  })

  test.each(['0.0.0.0', '0.1.2.3', '127.0.0.1', '240.0.0.1'])('to %s', (dst) => {
    const lab = new Lab()
    lab.a.sendUdp(dst, 9)
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-martian-destination': 1 })
  })

  test('an innocent source of the same flow shape is not taken for a martian by the cache', () => {
    const lab = new Lab()
    lab.a.sendRaw(datagram({ src: '127.0.0.1', dst: B, payload: udpPayload('127.0.0.1', B, 1, 2, bytes(4)) }))
    lab.a.sendRaw(datagram({ src: '126.0.0.1', dst: B, payload: udpPayload('126.0.0.1', B, 1, 2, bytes(4)) }))
    lab.a.sendRaw(
      datagram({ src: '10.0.0.254', dst: B, payload: udpPayload('10.0.0.254', B, 1, 2, bytes(4)) }),
    )
    lab.a.sendRaw(
      datagram({ src: '10.0.0.253', dst: B, payload: udpPayload('10.0.0.253', B, 1, 2, bytes(4)) }),
    )
    expect(lab.b.takeIp().map((s) => s.ip!.src)).toEqual([ip('126.0.0.1'), ip('10.0.0.253')])
  })
})

describe('RFC 1812 §5.3.5 broadcasts are never forwarded', () => {
  test.each([
    ['the limited broadcast', '255.255.255.255'],
    ["the broadcast of the sender's subnet", '10.0.0.255'],
    ['its network address', '10.0.0.0'],
    ['RFC 2644: the broadcast of another subnet', '192.168.100.255'],
    ['the network address of another subnet', '192.168.100.0'],
    ['a multicast', '239.1.2.3'],
    ['a multicast of the link', '224.0.0.1'],
  ])('%s', (_name, dst) => {
    const lab = new Lab()
    for (const mac of [ROUTER_MAC_0, ethernet.BROADCAST]) {
      lab.a.sendRaw(
        datagram({ src: '10.0.0.1', dst, payload: udpPayload('10.0.0.1', dst, 1, 9, bytes(4)) }),
        mac,
      )
    }
    lab.a.ping(dst)
    expect(lab.b.takeIp()).toEqual([])
    // §4.3.2.7: nor is anybody told.
    expect(lab.a.takeIp()).toEqual([])
    const { 'router-broadcast': broadcast = 0, 'router-no-service': service = 0 } = lab.drops()
    expect(broadcast + service).toBe(3)
  })

  test('§5.3.4: a unicast datagram in a broadcast frame is not forwarded, nor answered', () => {
    const lab = new Lab()
    for (const dst of [B, '10.0.0.254']) {
      lab.a.sendRaw(
        datagram({ src: '10.0.0.1', dst, payload: udpPayload('10.0.0.1', dst, 1, 9, bytes(4)) }),
        ethernet.BROADCAST,
      )
    }
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-broadcast': 2 })
  })
})
