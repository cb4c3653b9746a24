import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RouterSpec } from '../../../engine/dpif.ts'
import { MAX_DATAGRAMS, REASSEMBLY_TIME } from '../../../engine/reassembly.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import { bytes, DEFAULT_ROUTER, echoPayload, ip, Lab, ROUTER_MAC_0, type Seen, udpPayload } from './lab.ts'

const B = '192.168.100.1'
const ETH0 = '10.0.0.254'

function withMtu(mtu: number, nat: RouterSpec['nat'] = []): RouterSpec {
  const [eth0, eth1] = DEFAULT_ROUTER.interfaces
  return { ...DEFAULT_ROUTER, interfaces: [eth0, { ...eth1, mtu }], nat }
}

/** Puts pieces together the obvious way. */
function join(pieces: readonly Seen[]): Uint8Array {
  const whole: number[] = []
  for (const p of pieces) {
    p.payload.forEach((v, i) => {
      whole[p.ip!.fragmentOffset! + i] = v
    })
  }
  return Uint8Array.from(whole)
}

describe('RFC 791 §3.2 fragmentation', () => {
  test('what may be fragmented is, in pieces that fit and join to the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 68, max: 1500 }), fc.integer({ min: 1, max: 1472 }), (mtu, size) => {
        const lab = new Lab(withMtu(mtu))
        lab.a.sendUdp(B, 9, bytes(size))
        const pieces = lab.b.takeIp()
        const sent = udpPayload('10.0.0.1', B, 40000, 9, bytes(size))
        expect(join(pieces)).toEqual(sent)
        pieces.forEach((p, i) => {
          expect(p.ip!.payloadLength + 20).toBeLessThanOrEqual(mtu)
          expect(p.ip).toMatchObject({ ttl: 63, identification: 0x1234, dontFragment: false })
          expect(p.ip!.moreFragments).toBe(i < pieces.length - 1)
        })
        expect(lab.pool.available).toBe(lab.pool.cells)
        expect(lab.drops()).toEqual({})
      }),
      { numRuns: 40 },
    )
  })

  test('a fragment is fragmented further, at its own offset', () => {
    const lab = new Lab(withMtu(600))
    lab.a.send({ dst: B, payload: bytes(1200), offset: 1200, mf: true })
    const pieces = lab.b.takeIp()
    expect(pieces.map((p) => [p.ip!.fragmentOffset, p.ip!.payloadLength, p.ip!.moreFragments])).toEqual([
      [1200, 576, true],
      [1776, 576, true],
      [2352, 48, true],
    ])
  })

  test('options with the copied flag are in every piece, others in the first only', () => {
    const lab = new Lab(withMtu(300))
    // Router alert (copied), then a record route with room for one address (not copied).
    const options = Uint8Array.from([148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0])
    lab.a.send({ dst: B, payload: bytes(600), options })
    const pieces = lab.b.takeIp()
    expect(pieces.length).toBeGreaterThan(2)
    expect(join(pieces)).toEqual(bytes(600))
    const recorded = [192, 168, 100, 11]
    expect([...pieces[0].ip!.options!]).toEqual([148, 4, 0, 0, 7, 7, 8, ...recorded, 0])
    for (const p of pieces.slice(1)) expect([...p.ip!.options!]).toEqual([148, 4, 0, 0])
    for (const p of pieces) {
      expect(p.ip!.payloadLength + 20 + p.ip!.options!.length).toBeLessThanOrEqual(300)
    }
  })

  test('a GSO frame whose segments fit passes whole; one that does not is segmented, then fragmented', () => {
    const payload = udpPayload('10.0.0.1', B, 40000, 9, bytes(4000))
    for (const [mtu, expected] of [
      [1500, 4],
      [1000, 8],
    ]) {
      const lab = new Lab(withMtu(mtu))
      const total = 20 + payload.length
      const f = new Uint8Array(14 + total)
      const repr = { src: ip('10.0.0.1'), dst: ip(B), protocol: 17, ttl: 64, payloadLength: payload.length }
      f.set([0x02, 0, 0, 0, 0x01, 0, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0])
      expect(ROUTER_MAC_0).toBe(0x02_00_00_00_01_00)
      ipv4.emit(repr, f, 14)
      f.set(payload, 34)
      const offload = { flags: 1, gsoType: 5, gsoSize: 1000, csumStart: 34, csumOffset: 6 }
      lab.a.device.inject(f, offload)
      lab.run()
      const pieces = lab.b.takeIp()
      expect(pieces).toHaveLength(expected)
      const data = pieces.flatMap((p) => [...p.payload.subarray(p.ip!.fragmentOffset === 0 ? 8 : 0)])
      expect(Uint8Array.from(data)).toEqual(bytes(4000))
    }
  })

  test('RFC 1191: a GSO frame with DF whose segments do not fit is refused with the MTU', () => {
    const lab = new Lab(withMtu(1000))
    const payload = udpPayload('10.0.0.1', B, 40000, 9, bytes(4000))
    const f = new Uint8Array(34 + payload.length)
    f.set([0x02, 0, 0, 0, 0x01, 0, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0])
    const length = payload.length
    ipv4.emit(
      { src: ip('10.0.0.1'), dst: ip(B), protocol: 17, ttl: 64, payloadLength: length, dontFragment: true },
      f,
      14,
    )
    f.set(payload, 34)
    lab.a.device.inject(f, { flags: 1, gsoType: 5, gsoSize: 1000, csumStart: 34, csumOffset: 6 })
    lab.run()
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.a.takeIp()[0].icmp).toMatchObject({ type: 3, code: icmp.FRAGMENTATION_NEEDED, rest: 1000 })
  })

  test('fragments that are forwarded without NAT are not put together', () => {
    const lab = new Lab()
    lab.a.send({ dst: B, payload: bytes(64), offset: 64 })
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

describe('RFC 791 §3.2 reassembly', () => {
  const payload = echoPayload(7, 1, bytes(2000))

  function piece(lab: Lab, from: number, to: number, more: { id?: number; data?: Uint8Array } = {}): void {
    lab.a.send({
      dst: ETH0,
      protocol: ipv4.PROTO_ICMP,
      payload: (more.data ?? payload).subarray(from, to),
      offset: from,
      mf: to < payload.length,
      id: more.id ?? 5,
    })
  }

  function reply(lab: Lab): icmp.Repr | undefined {
    const pieces = lab.a.takeIp()
    if (pieces.length === 0) return undefined
    const whole = join(pieces)
    return icmp.parse(whole, 0, whole.length)
  }

  test('in any order, with duplicates, cut anywhere', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 250 }), { maxLength: 12 })
    fc.assert(
      fc.property(cuts, fc.integer(), fc.integer({ min: 0, max: 5 }), (at, seed, twice) => {
        const lab = new Lab()
        const edges = [0, ...at.sort((x, y) => x - y).map((u) => u * 8), payload.length]
        const ranges = edges.slice(1).map((to, i) => [edges[i], to] as const)
        const order = ranges
          .map((r, i) => ({ r, key: Math.imul(i + 1, seed | 1) >>> 0 }))
          .sort((x, y) => x.key - y.key)
          .map((o) => o.r)
        if (order.length > 1 && twice < order.length - 1) piece(lab, ...order[twice])
        for (const r of order) piece(lab, ...r)
        expect(reply(lab)).toMatchObject({ type: icmp.ECHO_REPLY, data: bytes(2000) })
        expect(lab.pool.available).toBe(lab.pool.cells)
      }),
      { numRuns: 60 },
    )
  })

  test('datagrams with different identification do not mix', () => {
    const lab = new Lab()
    piece(lab, 0, 1000, { id: 1 })
    piece(lab, 1000, payload.length, { id: 2 })
    expect(reply(lab)).toBeUndefined()
    piece(lab, 1000, payload.length, { id: 1 })
    expect(reply(lab)).toBeDefined()
  })

  test('RFC 5722 §4: overlapping fragments give up the datagram, pieces still to come included', () => {
    const lab = new Lab()
    piece(lab, 0, 1000)
    piece(lab, 992, 1480)
    piece(lab, 1000, payload.length)
    piece(lab, 0, 1000)
    expect(reply(lab)).toBeUndefined()
    expect(lab.drops()).toEqual({ 'fragment-overlap': 3 })
    lab.advance(REASSEMBLY_TIME)
    expect(lab.pool.available).toBe(lab.pool.cells)
    // §3.2 of RFC 792 applies to what timed out, not to this.
    expect(lab.a.takeIp()).toEqual([])
  })

  test('a duplicate with other bytes is an overlap', () => {
    const lab = new Lab()
    piece(lab, 0, 1000)
    piece(lab, 0, 1000, { data: bytes(payload.length) })
    piece(lab, 1000, payload.length)
    expect(reply(lab)).toBeUndefined()
    expect(lab.drops()).toEqual({ 'fragment-overlap': 2 })
  })

  test('two ends at different places give up the datagram', () => {
    const lab = new Lab()
    piece(lab, 1000, payload.length)
    lab.a.send({ dst: ETH0, protocol: 1, payload: bytes(8), offset: 2400, id: 5 })
    piece(lab, 0, 1000)
    expect(reply(lab)).toBeUndefined()
  })

  test.each([
    ['beyond the longest datagram', { offset: 65_528, size: 100, mf: false }],
    ['a middle piece that is no multiple of 8', { offset: 0, size: 100, mf: true }],
    ['an empty piece', { offset: 8, size: 0, mf: true }],
  ])('%s is refused', (_name, f) => {
    const lab = new Lab()
    lab.a.send({ dst: ETH0, protocol: 1, payload: bytes(f.size), offset: f.offset, mf: f.mf, id: 5 })
    expect(lab.drops()).toEqual({ 'router-bad-header': 1 })
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('RFC 792: after 30 s, time exceeded code 1 if the first fragment came', () => {
    const lab = new Lab()
    piece(lab, 0, 1000)
    piece(lab, 1480, payload.length)
    lab.advance(REASSEMBLY_TIME - 1)
    expect(lab.a.takeIp()).toEqual([])
    lab.advance(1)
    const [error] = lab.a.takeIp()
    expect(error.icmp).toMatchObject({ type: icmp.TIME_EXCEEDED, code: icmp.REASSEMBLY_EXCEEDED })
    expect(ipv4.totalLength(error.icmp!.data, 0)).toBe(1020)
    expect(error.icmp!.data.subarray(20, 60)).toEqual(payload.subarray(0, 40))
    expect(lab.drops()).toEqual({ 'fragment-timeout': 1 })
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('RFC 792: nobody is told if it did not', () => {
    const lab = new Lab()
    piece(lab, 1000, payload.length)
    lab.advance(REASSEMBLY_TIME)
    expect(lab.a.takeIp()).toEqual([])
    expect(lab.drops()).toEqual({ 'fragment-timeout': 1 })
  })

  test('a flood of first fragments stays within its bounds, the oldest makes room', () => {
    const lab = new Lab(DEFAULT_ROUTER, { cells: 256 })
    for (let id = 0; id < 5000; id++) piece(lab, 0, 1000, { id })
    expect(lab.pool.cells - lab.pool.available).toBeLessThanOrEqual(Math.min(MAX_DATAGRAMS, 256 / 8))
    piece(lab, 1000, payload.length, { id: 4999 })
    expect(reply(lab)).toBeDefined()
    lab.advance(REASSEMBLY_TIME)
    expect(lab.pool.available).toBe(lab.pool.cells)
  })

  test('fragments of what NAT translates are put together, translated and fragmented again', () => {
    const lab = new Lab(
      withMtu(1000, [
        {
          type: 'masquerade',
          source: { prefix: ip('10.0.0.0'), prefixLength: 24 },
          outInterface: 'eth1',
          to: [],
          ports: { first: 1024, last: 65535 },
          filtering: 'endpoint-independent',
        },
      ]),
    )
    const sent = udpPayload('10.0.0.1', B, 40000, 9, bytes(2500))
    lab.a.send({ dst: B, payload: sent.subarray(1480), offset: 1480, id: 7 })
    lab.a.send({ dst: B, payload: sent.subarray(0, 1480), mf: true, id: 7 })
    const pieces = lab.b.takeIp()
    expect(pieces).toHaveLength(3)
    for (const p of pieces) expect(p.ip).toMatchObject({ src: ip('192.168.100.11'), ttl: 63 })
    expect(join(pieces).subarray(8)).toEqual(bytes(2500))
    expect(lab.drops()).toEqual({})
    expect(lab.pool.available).toBe(lab.pool.cells)
  })
})
