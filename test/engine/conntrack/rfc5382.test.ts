/** RFC 5382, NAT Behavioral Requirements for TCP: each REQ that applies. */
import { describe, expect, test } from 'vitest'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import { ACK, bytes, dnat, EXTERNAL, FIN, handshake, ip, NatLab, quoted, RST, SYN, snat } from './nat-lab.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function state(n: NatLab): string[] {
  return n.connections().map((c) => c.state)
}

test('REQ-1: the mapping of an internal endpoint is the same whomever it connects to', () => {
  const n = new NatLab()
  n.x2.tcp(5000, n.y1.address, 80, { flags: SYN })
  n.y1.take()
  const port = handshake(n.x1, 5000, n.y1, 80)
  expect(port).not.toBe(5000)
  expect(handshake(n.x1, 5000, n.y2, 80)).toBe(port)
  expect(handshake(n.x1, 5000, n.y1, 81)).toBe(port)
})

describe('REQ-2', () => {
  test('REQ-2: three-way handshake, data both ways, close', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    const port = handshake(n.x1, 5000, n.y1, 80)
    expect(state(n)).toEqual(['ESTABLISHED'])
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1001, ack: 5001, data: bytes(100) })
    expect(n.y1.one().data).toEqual(bytes(100))
    n.y1.tcp(80, EXTERNAL, port, { flags: ACK, seq: 5001, ack: 1101, data: bytes(1000) })
    expect(n.x1.one()).toMatchObject({ src: n.y1.address, sport: 80, dport: 5000, data: bytes(1000) })
    n.x1.tcp(5000, n.y1.address, 80, { flags: FIN | ACK, seq: 1101, ack: 6001 })
    expect(state(n)).toEqual(['FIN_WAIT'])
    n.y1.tcp(80, EXTERNAL, port, { flags: ACK, seq: 6001, ack: 1102 })
    expect(state(n)).toEqual(['CLOSE_WAIT'])
    n.y1.tcp(80, EXTERNAL, port, { flags: FIN | ACK, seq: 6001, ack: 1102 })
    expect(state(n)).toEqual(['LAST_ACK'])
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1102, ack: 6002 })
    expect(state(n)).toEqual(['TIME_WAIT'])
    n.y1.tcp(80, EXTERNAL, port, { flags: FIN | ACK, seq: 6001, ack: 1102 })
    expect([n.x1.take().length, n.y1.take().length]).toEqual([3, 2])
  })

  test('REQ-2a: simultaneous open', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    n.x1.tcp(5000, n.y1.address, 6000, { flags: SYN, seq: 1000 })
    const out = n.y1.one()
    n.y1.tcp(6000, out.src, out.sport, { flags: SYN, seq: 5000 })
    expect(n.x1.one()).toMatchObject({ dport: 5000, flags: SYN })
    expect(state(n)).toEqual(['SYN_SENT2'])
    n.x1.tcp(5000, n.y1.address, 6000, { flags: SYN | ACK, seq: 1000, ack: 5001 })
    expect(n.y1.one().flags).toBe(SYN | ACK)
    expect(state(n)).toEqual(['SYN_RECV'])
    n.y1.tcp(6000, out.src, out.sport, { flags: SYN | ACK, seq: 5000, ack: 1001 })
    expect(n.x1.one().flags).toBe(SYN | ACK)
    expect(state(n)).toEqual(['ESTABLISHED'])
  })

  test('REQ-2: a connection begun outside, where it is permitted', () => {
    const n = new NatLab([
      snat(),
      dnat({ protocol: 'tcp', ports: { first: 8080, last: 8089 }, to: ip('10.0.0.1'), toPort: 80 }),
    ])
    n.y1.tcp(7000, EXTERNAL, 8083, { flags: SYN, seq: 1 })
    expect(n.x1.one()).toMatchObject({ src: n.y1.address, sport: 7000, dst: n.x1.address, dport: 83 })
    n.x1.tcp(83, n.y1.address, 7000, { flags: SYN | ACK, seq: 100, ack: 2 })
    expect(n.y1.one()).toMatchObject({ src: EXTERNAL, sport: 8083, dport: 7000 })
    n.y1.tcp(7000, EXTERNAL, 8083, { flags: ACK, seq: 2, ack: 101 })
    expect(state(n)).toEqual(['ESTABLISHED'])
  })

  test('segments that belong to no connection do not come in', () => {
    const n = new NatLab([
      snat(),
      dnat({ protocol: 'tcp', ports: { first: 80, last: 80 }, to: ip('10.0.0.1') }),
    ])
    for (const flags of [ACK, RST, FIN | ACK, SYN | ACK, 0])
      n.y1.tcp(7000, EXTERNAL, 80, { flags, seq: 1, ack: 1 })
    for (const flags of [ACK, RST, FIN | ACK, SYN | ACK, 0])
      n.y1.tcp(7000, EXTERNAL, 81, { flags, seq: 1, ack: 1 })
    expect(n.x1.take()).toEqual([])
    expect(n.drops()['ct-invalid']).toBe(10)
    n.y1.tcp(7000, EXTERNAL, 80, { flags: SYN, seq: 1 })
    expect(n.x1.take()).toHaveLength(1)
    // What was dropped before, and cached as such, belongs to a connection now.
    for (const flags of [ACK, RST, FIN | ACK, SYN | ACK, 0])
      n.y1.tcp(7000, EXTERNAL, 80, { flags, seq: 1, ack: 1 })
    expect(n.x1.take()).toHaveLength(5)
  })

  test('a connection older than our memory is picked up from inside, and lives briefly until it is answered', () => {
    const n = new NatLab()
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 77_000, ack: 88_000, data: bytes(10) })
    const out = n.y1.one()
    expect(n.connections()[0]).toMatchObject({ state: 'ESTABLISHED', expires: 240 })
    n.y1.tcp(80, out.src, out.sport, { flags: ACK, seq: 88_000, ack: 77_010 })
    expect(n.x1.one().dport).toBe(5000)
    expect(n.connections()[0]).toMatchObject({ state: 'ESTABLISHED', expires: 7440 })
    n.x1.tcp(5001, n.y1.address, 80, { flags: RST, seq: 1 })
    n.x1.tcp(5002, n.y1.address, 80, { flags: SYN | ACK, seq: 1, ack: 1 })
    expect(n.y1.take()).toEqual([])
  })
})

describe('REQ-3', () => {
  for (const [filtering, samePeer, anyone] of [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const) {
    test(`REQ-3, REQ-3a: ${filtering} filtering`, () => {
      const n = new NatLab([snat({ filtering })])
      const port = handshake(n.x1, 5000, n.y1, 80)
      n.y1.tcp(81, EXTERNAL, port, { flags: SYN, seq: 1 })
      expect(n.x1.take()).toHaveLength(samePeer ? 1 : 0)
      n.y2.tcp(80, EXTERNAL, port, { flags: SYN, seq: 1 })
      expect(n.x1.take()).toHaveLength(anyone ? 1 : 0)
    })
  }
})

describe('REQ-4', () => {
  test('REQ-4: an unsolicited SYN is answered by port unreachable, after six seconds', () => {
    const n = new NatLab()
    n.y1.tcp(7000, EXTERNAL, 5000, { flags: SYN, seq: 1 })
    n.advance(5999)
    expect(n.y1.take()).toEqual([])
    n.advance(1)
    const e = n.y1.one()
    expect(e.icmp).toMatchObject({ type: icmp.DESTINATION_UNREACHABLE, code: icmp.PORT_UNREACHABLE })
    expect(quoted(e)).toMatchObject({ src: n.y1.address, sport: 7000, dst: EXTERNAL, dport: 5000 })
  })

  test('REQ-4: not if the inside connects there meanwhile, and then the connection opens', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    n.y1.tcp(7000, EXTERNAL, 5000, { flags: SYN, seq: 1 })
    n.advance(3000)
    n.x1.tcp(5000, n.y1.address, 7000, { flags: SYN, seq: 1000 })
    expect(n.y1.one()).toMatchObject({ flags: SYN, sport: 5000 })
    n.advance(10_000)
    expect(n.y1.take()).toEqual([])
    n.y1.tcp(7000, EXTERNAL, 5000, { flags: SYN, seq: 1 })
    expect(n.x1.one()).toMatchObject({ flags: SYN, dport: 5000 })
  })

  test('REQ-4: a SYN sent again is answered once; one to a mapping that is filtered is answered too', () => {
    const n = new NatLab([snat({ filtering: 'address-dependent' })])
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.y2.tcp(7000, EXTERNAL, port, { flags: SYN, seq: 1 })
    n.advance(1000)
    n.y2.tcp(7000, EXTERNAL, port, { flags: SYN, seq: 1 })
    n.advance(20_000)
    expect(n.y2.take()).toHaveLength(1)
    expect(n.drops()['nat-filtered']).toBe(2)
  })

  test('REQ-4a: those beyond a bound are dropped silently', () => {
    const n = new NatLab([snat()], { icmpErrorRate: 1_000_000 })
    for (let i = 0; i < 400; i++) n.y1.tcp(7000, EXTERNAL, 10_000 + i, { flags: SYN, seq: 1 })
    n.advance(10_000)
    const told = n.y1.take().length
    expect(told).toBeGreaterThan(0)
    expect(told).toBeLessThanOrEqual(256)
  })
})

describe('REQ-5', () => {
  test('REQ-5: an established connection is kept for 2 hours 4 minutes of silence, and no longer', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.advance(2 * HOUR + 4 * MINUTE - 1)
    n.y1.tcp(80, EXTERNAL, port, { flags: ACK, seq: 5001, ack: 1001, data: bytes(1) })
    expect(n.x1.take()).toHaveLength(1)
    n.advance(2 * HOUR + 4 * MINUTE + 200)
    expect(n.connections()).toEqual([])
  })

  test('REQ-5: half-open for four minutes', () => {
    const n = new NatLab()
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1 })
    n.advance(4 * MINUTE - 1)
    expect(n.connections()).toHaveLength(1)
    n.advance(201)
    expect(n.connections()).toEqual([])
  })

  test('REQ-5: half-closed is still established, both ways closed is four minutes', () => {
    const n = new NatLab()
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.x1.tcp(5000, n.y1.address, 80, { flags: FIN | ACK, seq: 1001, ack: 5001 })
    n.y1.tcp(80, EXTERNAL, port, { flags: ACK, seq: 5001, ack: 1002 })
    n.advance(HOUR)
    n.y1.tcp(80, EXTERNAL, port, { flags: FIN | ACK, seq: 5001, ack: 1002 })
    expect(n.x1.take()).toHaveLength(2)
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1002, ack: 5002 })
    expect(state(n)).toEqual(['TIME_WAIT'])
    n.advance(4 * MINUTE - 1)
    expect(n.connections()).toHaveLength(1)
    n.advance(201)
    expect(n.connections()).toEqual([])
  })

  test('REQ-5a: both spans are configurable', () => {
    const timeouts = { tcpEstablished: 10 * HOUR, tcpTransitory: 10 * MINUTE, udp: 300_000, icmp: 60_000 }
    const n = new NatLab([snat()], { timeouts })
    handshake(n.x1, 5000, n.y1, 80)
    n.x1.tcp(5001, n.y1.address, 80, { flags: SYN, seq: 1 })
    expect(n.connections().map((c) => c.expires)).toEqual([36_000, 600])
  })
})

describe('REQ-7', () => {
  test('REQ-7: no port overloading: two endpoints never share a port, even to different destinations', () => {
    const n = new NatLab()
    const first = handshake(n.x1, 5000, n.y1, 80)
    const second = handshake(n.x2, 5000, n.y2, 80)
    expect(first).toBe(5000)
    expect(second).not.toBe(5000)
  })

  test("REQ-7: a port in TIME_WAIT or reset is nobody else's until its four minutes are over", () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2000 } })])
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.y1.tcp(80, EXTERNAL, port, { flags: RST, seq: 5001 })
    expect(n.x1.one().flags).toBe(RST)
    n.advance(4 * MINUTE - 1)
    n.x2.tcp(6000, n.y1.address, 80, { flags: SYN, seq: 1 })
    expect(n.y1.take()).toEqual([])
    expect(n.drops()['nat-ports-exhausted']).toBe(1)
    n.advance(201)
    n.x2.tcp(6000, n.y1.address, 80, { flags: SYN, seq: 1 })
    expect(n.y1.one().sport).toBe(2000)
  })
})

test('REQ-8, REQ-8a: hairpinning, the source is external', () => {
  const n = new NatLab([
    snat(),
    dnat({ protocol: 'tcp', ports: { first: 80, last: 80 }, to: ip('10.0.0.2') }),
  ])
  n.x1.tcp(5000, EXTERNAL, 80, { flags: SYN, seq: 1000 })
  const syn = n.x2.one()
  expect(syn).toMatchObject({ src: EXTERNAL, sport: 5000, dst: n.x2.address, dport: 80 })
  n.x2.tcp(80, syn.src, syn.sport, { flags: SYN | ACK, seq: 9000, ack: 1001 })
  expect(n.x1.one()).toMatchObject({ src: EXTERNAL, sport: 80, dst: n.x1.address, dport: 5000 })
  n.x1.tcp(5000, EXTERNAL, 80, { flags: ACK, seq: 1001, ack: 9001 })
  expect(n.x2.take()).toHaveLength(1)
  expect(state(n)).toEqual(['ESTABLISHED'])
})

test('REQ-9: destination unreachable about a connection is translated', () => {
  const n = new NatLab()
  n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1000 })
  n.y1.error(n.y1.one(), 3, 1)
  const e = n.x1.one()
  expect(quoted(e)).toMatchObject({
    src: n.x1.address,
    sport: 5000,
    dst: n.y1.address,
    dport: 80,
    headerIsRight: true,
  })
})

test('REQ-10: no ICMP message ends a connection', () => {
  const n = new NatLab()
  handshake(n.x1, 5000, n.y1, 80)
  n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1001, ack: 5001, data: bytes(10) })
  const sent = n.y1.one()
  for (const code of [0, 1, 2, 3, 9, 10, 13]) n.y1.error(sent, 3, code)
  expect(n.x1.take()).toHaveLength(7)
  expect(state(n)).toEqual(['ESTABLISHED'])
})
