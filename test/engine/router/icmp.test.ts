import { describe, expect, test } from 'vitest'
import { put16, put32, u16 } from '../../../protocols/wire/big-endian.ts'
import { pseudoHeader4 } from '../../../protocols/wire/checksum.ts'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import * as tcp from '../../../protocols/wire/tcp.ts'
import {
  bytes,
  DEFAULT_ROUTER,
  datagram,
  dissect,
  echoPayload,
  ip,
  Lab,
  ROUTER_MAC_0,
  udpPayload,
} from './lab.ts'

const B = '192.168.100.1'
const ETH0 = '10.0.0.254'
const ETH1 = '192.168.100.11'

/** Asserts that exactly one ICMP error of this kind came, about this datagram. */
function expectError(lab: Lab, type: number, code: number, about: Uint8Array, from = ETH0): icmp.Repr {
  const [error, ...more] = lab.a.takeIp()
  expect(more).toEqual([])
  expect(error.eth).toMatchObject({ src: ROUTER_MAC_0, dst: lab.a.mac })
  expect(error.ip).toMatchObject({
    src: ip(from),
    dst: ip(lab.a.address),
    protocol: ipv4.PROTO_ICMP,
    ttl: 64,
  })
  expect(error.icmp).toMatchObject({ type, code })
  const quoted = about.subarray(0, Math.min(about.length, 548))
  expect(error.icmp!.data).toEqual(quoted)
  return error.icmp!
}

describe('RFC 1812 §4.3.3.6 echo', () => {
  test.each([ETH0, ETH1])(
    'a request to %s is answered from that address, data, id and TOS as they came',
    (dst) => {
      const lab = new Lab()
      lab.a.ping(dst, 56, { tos: 0x28 })
      const [reply, ...more] = lab.a.takeIp()
      expect(more).toEqual([])
      expect(reply.ip).toMatchObject({ src: ip(dst), dst: ip('10.0.0.1'), ttl: 64, tos: 0x28 })
      expect(reply.icmp).toEqual({
        type: icmp.ECHO_REPLY,
        code: 0,
        rest: icmp.queryRest(7, 1),
        data: bytes(56),
      })
      expect(lab.drops()).toEqual({})
    },
  )

  test('a request of the greatest size, in fragments, is answered in fragments', () => {
    const lab = new Lab()
    const payload = echoPayload(7, 1, bytes(65_507))
    for (let at = 0; at < payload.length; at += 1480) {
      const piece = payload.subarray(at, at + 1480)
      const mf = at + 1480 < payload.length
      lab.a.send({ dst: ETH0, protocol: ipv4.PROTO_ICMP, payload: piece, offset: at, mf, id: 99 })
    }
    const pieces = lab.a.takeIp()
    expect(pieces).toHaveLength(Math.ceil(payload.length / 1480))
    const whole = new Uint8Array(payload.length)
    for (const p of pieces) {
      expect(p.ip!.payloadLength + 20).toBeLessThanOrEqual(1500)
      whole.set(p.payload, p.ip!.fragmentOffset)
    }
    expect(icmp.parse(whole, 0, whole.length)).toEqual({
      type: icmp.ECHO_REPLY,
      code: 0,
      rest: icmp.queryRest(7, 1),
      data: bytes(65_507),
    })
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('a request with a wrong ICMP checksum is not answered', () => {
    const lab = new Lab()
    const payload = echoPayload(7, 1, bytes(8))
    payload[9] ^= 1
    lab.a.send({ dst: ETH0, protocol: ipv4.PROTO_ICMP, payload })
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-bad-checksum': 1 })
  })

  test('replies and other messages to us are taken silently', () => {
    const lab = new Lab()
    const payload = new Uint8Array(16)
    icmp.emit({ type: icmp.TIMESTAMP, code: 0, rest: 0, data: new Uint8Array(8) }, payload, 0)
    lab.a.send({ dst: ETH0, protocol: ipv4.PROTO_ICMP, payload })
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-no-service': 1 })
  })
})

describe('RFC 1812 §5.2.7.1 destination unreachable', () => {
  test('code 0: no route', () => {
    const lab = new Lab({ ...DEFAULT_ROUTER, routes: [] })
    lab.a.sendUdp('8.8.8.8', 53)
    const sent = datagram({
      src: '10.0.0.1',
      dst: '8.8.8.8',
      payload: udpPayload('10.0.0.1', '8.8.8.8', 40000, 53, bytes(32)),
    })
    expectError(lab, icmp.DESTINATION_UNREACHABLE, icmp.NET_UNREACHABLE, sent)
    expect(lab.drops()).toEqual({ 'router-no-route': 1 })
  })

  test('code 1: nobody answers for the host', () => {
    const lab = new Lab()
    const dst = '192.168.100.77'
    lab.a.sendUdp(dst, 53)
    expect(lab.a.takeIp()).toEqual([])
    lab.advance(3000)
    const payload = udpPayload('10.0.0.1', dst, 40000, 53, bytes(32))
    expectError(
      lab,
      icmp.DESTINATION_UNREACHABLE,
      icmp.HOST_UNREACHABLE,
      datagram({ src: '10.0.0.1', dst, payload }),
    )
    expect(lab.drops()).toEqual({ 'router-unresolved': 1 })
  })

  test('code 2: a protocol we do not speak', () => {
    const lab = new Lab()
    lab.a.send({ dst: ETH0, protocol: 89, payload: bytes(40) })
    const sent = datagram({ src: '10.0.0.1', dst: ETH0, protocol: 89, payload: bytes(40) })
    expectError(lab, icmp.DESTINATION_UNREACHABLE, icmp.PROTOCOL_UNREACHABLE, sent)
  })

  test('code 3: a port nobody listens on, from the address that was asked', () => {
    const lab = new Lab()
    lab.a.sendUdp(ETH1, 9)
    const payload = udpPayload('10.0.0.1', ETH1, 40000, 9, bytes(32))
    const sent = datagram({ src: '10.0.0.1', dst: ETH1, payload })
    expectError(lab, icmp.DESTINATION_UNREACHABLE, icmp.PORT_UNREACHABLE, sent, ETH1)
    expect(lab.drops()).toEqual({ 'router-no-service': 1 })
  })

  test('code 4, RFC 1191 §4: fragmentation needed, with the MTU that would do', () => {
    const [eth0, eth1] = DEFAULT_ROUTER.interfaces
    const lab = new Lab({ ...DEFAULT_ROUTER, interfaces: [eth0, { ...eth1, mtu: 1400 }] })
    lab.a.sendUdp(B, 9, bytes(1373), { df: true })
    const payload = udpPayload('10.0.0.1', B, 40000, 9, bytes(1373))
    const sent = datagram({ src: '10.0.0.1', dst: B, df: true, payload })
    const error = expectError(lab, icmp.DESTINATION_UNREACHABLE, icmp.FRAGMENTATION_NEEDED, sent)
    expect(error.rest).toBe(1400)
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'router-too-big': 1 })
    lab.a.sendUdp(B, 9, bytes(1372), { df: true })
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

describe('RFC 1812 §4.3.2 errors', () => {
  test('§4.3.2.3: no more than 576 bytes in all', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9, bytes(1400), { ttl: 1 })
    const [error] = lab.a.takeIp()
    expect(error.ip!.payloadLength + 20).toBe(576)
  })

  test('§4.3.2.5: precedence 6, and the delay bits of the original', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9, bytes(4), { ttl: 1, tos: 0x30 })
    expect(lab.a.takeIp()[0].ip).toMatchObject({ tos: 0xd0 })
  })

  test('§4.3.2.7: not about an ICMP error, but about other ICMP', () => {
    const lab = new Lab()
    const inner = datagram({ src: B, dst: '10.0.0.1', payload: udpPayload(B, '10.0.0.1', 1, 2, bytes(4)) })
    const payload = new Uint8Array(8 + inner.length)
    icmp.emit({ type: icmp.DESTINATION_UNREACHABLE, code: 3, rest: 0, data: inner }, payload, 0)
    lab.a.send({ dst: B, protocol: ipv4.PROTO_ICMP, payload, ttl: 1 })
    expect(lab.a.takeIp()).toEqual([])
    lab.a.ping(B, 8, { ttl: 1 })
    expect(lab.a.takeIp()[0].icmp?.type).toBe(icmp.TIME_EXCEEDED)
    expect(lab.drops()).toEqual({ 'router-ttl-expired': 2 })
  })

  test('§4.3.2.7: about the first fragment, not about later ones', () => {
    const lab = new Lab()
    lab.a.send({ dst: B, payload: bytes(64), offset: 64, mf: true, ttl: 1 })
    expect(lab.a.takeIp()).toEqual([])
    lab.a.send({ dst: B, payload: bytes(64), mf: true, ttl: 1 })
    expect(lab.a.takeIp()[0].icmp?.type).toBe(icmp.TIME_EXCEEDED)
  })

  test('§4.3.2.8: no more than the configured rate, the rest dropped and counted', () => {
    const lab = new Lab({ ...DEFAULT_ROUTER, icmpErrorRate: 10 })
    for (let i = 0; i < 1000; i++) lab.a.sendUdp(B, 9, bytes(4), { ttl: 1 })
    expect(lab.a.takeIp()).toHaveLength(10)
    expect(lab.drops()).toEqual({ 'router-ttl-expired': 10, 'router-icmp-rate-limited': 990 })
    lab.advance(500)
    for (let i = 0; i < 1000; i++) lab.a.sendUdp(B, 9, bytes(4), { ttl: 1 })
    expect(lab.a.takeIp()).toHaveLength(5)
  })

  test('a rate of 0 sends none', () => {
    const lab = new Lab({ ...DEFAULT_ROUTER, icmpErrorRate: 0 })
    lab.a.sendUdp(B, 9, bytes(4), { ttl: 1 })
    expect(lab.a.takeIp()).toEqual([])
  })

  test('the quotation is as the sender sent it, its checksum completed', () => {
    const lab = new Lab()
    const payload = udpPayload('10.0.0.1', B, 40000, 9, bytes(32))
    const whole = datagram({ src: '10.0.0.1', dst: B, payload, ttl: 1 })
    const partial = whole.slice()
    put16(partial, 26, pseudoHeader4(ip('10.0.0.1'), ip(B), 17, payload.length))
    const f = new Uint8Array(14 + partial.length)
    ethernet.emit({ dst: ROUTER_MAC_0, src: lab.a.mac, type: ethernet.TYPE_IPV4 }, f, 0)
    f.set(partial, 14)
    lab.a.device.inject(f, { flags: 1, gsoType: 0, gsoSize: 0, csumStart: 34, csumOffset: 6 })
    lab.run()
    expectError(lab, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, whole)
  })

  test('an error waits, like anything else, for the address of who is to have it', () => {
    const lab = new Lab()
    lab.a.answers = false
    const packet = datagram({ src: '10.0.0.66', dst: B, payload: bytes(16), protocol: 17, ttl: 1 })
    lab.a.sendRaw(packet)
    expect(lab.a.take().map((s) => s.arp?.tpa)).toEqual([ip('10.0.0.66')])
    const answer = { operation: 2, spa: ip('10.0.0.66'), tha: ROUTER_MAC_0, tpa: ip(ETH0) }
    lab.a.sendArp(answer, ROUTER_MAC_0)
    expect(lab.a.takeIp()[0].ip).toMatchObject({ dst: ip('10.0.0.66') })
  })
})

describe('RFC 1812 §4.3.3.2 redirects', () => {
  function station(redirects: boolean): Lab {
    const lab = new Lab({
      ...DEFAULT_ROUTER,
      redirects,
      routes: [{ prefix: ip('172.16.0.0'), prefixLength: 12, via: ip('10.0.0.2'), metric: 0 }],
    })
    lab.station('br0', 'n2', 0x02_00_00_00_00_22, '10.0.0.2', ROUTER_MAC_0)
    return lab
  }

  test('off by default: the datagram is sent on and nothing said', () => {
    const lab = station(false)
    lab.a.sendUdp('172.16.0.1', 9)
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({})
  })

  test('on: the sender learns the better gateway, and the datagram is sent on', () => {
    const lab = station(true)
    const n2 = lab.local.datapath.topology.portsByName.get('n2')
    expect(n2).toBeDefined()
    lab.a.sendUdp('172.16.0.1', 9)
    const payload = udpPayload('10.0.0.1', '172.16.0.1', 40000, 9, bytes(32))
    const sent = datagram({ src: '10.0.0.1', dst: '172.16.0.1', payload })
    const error = expectError(lab, icmp.REDIRECT, icmp.REDIRECT_HOST, sent)
    expect(error.rest).toBe(ip('10.0.0.2'))
    expect(lab.drops()).toEqual({})
  })

  test('on: not to a sender who is on no subnet of that interface', () => {
    const lab = station(true)
    lab.a.sendRaw(datagram({ src: '10.5.5.5', dst: '172.16.0.1', payload: bytes(16) }))
    expect(lab.a.takeIp()).toEqual([])
  })
})

describe('TCP to the router', () => {
  function segment(
    flags: number,
    seq: number,
    ack: number,
    data: Uint8Array = new Uint8Array(0),
  ): Uint8Array {
    const b = new Uint8Array(20 + data.length)
    const options = new Uint8Array(0)
    tcp.emit({ srcPort: 1000, dstPort: 80, seq, ack, flags, window: 100, urgentPointer: 0, options }, b, 0)
    b.set(data, 20)
    tcp.fillChecksum(b, 0, b.length, pseudoHeader4(ip('10.0.0.1'), ip(ETH0), 6, b.length))
    return b
  }

  test('RFC 9293 §3.10.7.1: a SYN to a closed port is reset', () => {
    const lab = new Lab()
    lab.a.send({ dst: ETH0, protocol: 6, payload: segment(tcp.SYN, 5000, 0) })
    const [reply] = lab.a.takeIp()
    expect(reply.ip).toMatchObject({ src: ip(ETH0), protocol: 6 })
    const r = tcp.parse(reply.payload, 0, reply.payload.length)
    expect(r).toMatchObject({ srcPort: 80, dstPort: 1000, seq: 0, ack: 5001, flags: tcp.RST | tcp.ACK })
    const pseudo = pseudoHeader4(ip(ETH0), ip('10.0.0.1'), 6, 20)
    expect(tcp.verifyChecksum(reply.payload, 0, 20, pseudo)).toBe(true)
  })

  test('RFC 9293 §3.10.7.1: a segment with ACK is reset at the number it acknowledges', () => {
    const lab = new Lab()
    lab.a.send({ dst: ETH0, protocol: 6, payload: segment(tcp.ACK, 5000, 777, bytes(10)) })
    const [reply] = lab.a.takeIp()
    expect(tcp.parse(reply.payload, 0, 20)).toMatchObject({ seq: 777, ack: 0, flags: tcp.RST })
  })

  test('a reset is not answered', () => {
    const lab = new Lab()
    lab.a.send({ dst: ETH0, protocol: 6, payload: segment(tcp.RST, 5000, 0) })
    expect(lab.a.takeIp()).toEqual([])
  })
})

describe('services', () => {
  test('a broadcast to a port with a service goes up whole, and nowhere else', () => {
    const lab = new Lab()
    const payload = udpPayload('0.0.0.0', '255.255.255.255', 68, 67, bytes(300))
    lab.a.sendRaw(datagram({ src: '0.0.0.0', dst: '255.255.255.255', payload }), ethernet.BROADCAST)
    const [event] = lab.events.filter((e) => e.type === 'service')
    expect(event).toMatchObject({ router: 'rt', interface: 'eth0' })
    const seen = dissect((event as { frame: Uint8Array }).frame)
    expect(seen.eth.src).toBe(lab.a.mac)
    expect(seen.payload).toEqual(payload)
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({})
  })

  test('a service is reached at its address by whatever interface', () => {
    const lab = new Lab()
    lab.b.sendUdp(ETH0, 67)
    expect(lab.events.find((e) => e.type === 'service')).toMatchObject({ interface: 'eth0' })
    expect(lab.b.takeIp()).toEqual([])
  })

  test('a datagram with a wrong UDP checksum does not go up', () => {
    const lab = new Lab()
    const payload = udpPayload('10.0.0.1', ETH0, 68, 67, bytes(30))
    payload[12] ^= 1
    lab.a.send({ dst: ETH0, payload })
    expect(lab.events.filter((e) => e.type === 'service')).toEqual([])
    expect(lab.drops()).toEqual({ 'router-bad-checksum': 1 })
  })

  test('a flood of requests goes up at a bounded rate', () => {
    const lab = new Lab()
    for (let i = 0; i < 6000; i++) lab.a.sendUdp(ETH0, 67, bytes(4))
    expect(lab.events.filter((e) => e.type === 'service').length).toBe(4096)
    expect(lab.drops()).toEqual({ 'slow-path-busy': 6000 - 4096 })
  })
})

describe('datagrams of the router itself', () => {
  test('routerSend routes, resolves and fragments', () => {
    const lab = new Lab()
    lab.b.answers = false
    const payload = udpPayload(ETH1, B, 67, 68, bytes(3000))
    lab.local.commands.routerSend('rt', datagram({ src: ETH1, dst: '8.8.8.8', payload }))
    expect(lab.b.takeIp()).toEqual([])
    lab.b.answers = true
    lab.advance(1000)
    const pieces = lab.b.takeIp()
    expect(pieces).toHaveLength(3)
    expect(pieces.every((p) => p.ip!.dst === ip('8.8.8.8') && p.ip!.ttl === 64)).toBe(true)
    expect(pieces.reduce((n, p) => n + p.ip!.payloadLength, 0)).toBe(payload.length)
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('what a router says again and again is translated once', () => {
    const lab = new Lab()
    const payload = udpPayload(ETH0, '10.0.0.1', 67, 68, bytes(300))
    const say = () => lab.local.commands.routerSend('rt', datagram({ src: ETH0, dst: '10.0.0.1', payload }))
    lab.a.ping(ETH0)
    lab.a.take()
    say()
    const { upcalls } = lab.local.datapath
    for (let i = 0; i < 3; i++) say()
    lab.run()
    expect(lab.a.takeIp().map((s) => s.payload)).toEqual([payload, payload, payload, payload])
    expect(lab.local.datapath.upcalls).toBe(upcalls)
  })

  test('routerSend refuses what is no datagram', () => {
    const lab = new Lab()
    expect(() => lab.local.commands.routerSend('rt', new Uint8Array(19))).toThrow('no IPv4 datagram')
    expect(() => lab.local.commands.routerSend('nobody', new Uint8Array(20))).toThrow('no router nobody')
  })

  test('routerOutput puts a frame on the link as it is', () => {
    const lab = new Lab()
    const f = new Uint8Array(60)
    ethernet.emit({ dst: lab.a.mac, src: ROUTER_MAC_0, type: 0x88b5 }, f, 0)
    put32(f, 20, 0xdeadbeef)
    lab.local.commands.routerOutput('rt', 'eth0', f)
    lab.run()
    expect(lab.a.take().map((s) => s.frame)).toEqual([f])
    expect(u16(f, 12)).toBe(0x88b5)
  })
})
