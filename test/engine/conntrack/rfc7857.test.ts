/** RFC 7857, Updates to NAT Behavioral Requirements: each section that applies. */
import { describe, expect, test } from 'vitest'
import { ACK, bytes, EXTERNAL, handshake, NatLab, RST, range, SYN, snat } from './nat-lab.ts'

const MINUTE = 60_000

describe('§2.1', () => {
  test('§2.1: opening and closing connections have a timer of their own, four minutes unless configured', () => {
    const n = new NatLab()
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1 })
    handshake(n.x1, 5001, n.y2, 80)
    expect(n.connections().map((c) => [c.state, c.expires])).toEqual([
      ['SYN_SENT', 240],
      ['ESTABLISHED', 7440],
    ])
  })
})

describe('§2.2', () => {
  test('§2.2: a RST is translated, and the session kept for four minutes', () => {
    const n = new NatLab()
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.y1.tcp(80, EXTERNAL, port, { flags: RST, seq: 5001 })
    expect(n.x1.one()).toMatchObject({ flags: RST, dport: 5000 })
    expect(n.connections()[0]).toMatchObject({ state: 'CLOSE', expires: 240 })
    n.advance(4 * MINUTE - 1)
    expect(n.connections()).toHaveLength(1)
    n.advance(201)
    expect(n.connections()).toEqual([])
  })

  test('§2.2: packets after the RST keep the session', () => {
    const n = new NatLab()
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.y1.tcp(80, EXTERNAL, port, { flags: RST, seq: 5001 })
    n.advance(3 * MINUTE)
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1001, ack: 5001, data: bytes(5) })
    expect(n.y1.take()).toHaveLength(1)
    n.advance(3 * MINUTE)
    expect(n.connections()).toHaveLength(1)
  })

  test('§2.2: a RST outside the window is passed on and ends nothing (RFC 5961)', () => {
    const n = new NatLab()
    const port = handshake(n.x1, 5000, n.y1, 80)
    for (const seq of [0, 5000, 5001 + 8193, 0x7fff_0000, 0xffff_0000]) {
      n.y1.tcp(80, EXTERNAL, port, { flags: RST, seq })
    }
    expect(n.x1.take()).toHaveLength(5)
    expect(n.connections()[0]).toMatchObject({ state: 'ESTABLISHED', expires: 7440 })
    n.y1.tcp(80, EXTERNAL, port, { flags: RST, seq: 5001 + 8192 })
    expect(n.connections()[0].state).toBe('CLOSE')
  })

  test('§2.2: a refused connection is over at once, and may be tried again at once', () => {
    const n = new NatLab()
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1000 })
    const syn = n.y1.one()
    n.y1.tcp(80, syn.src, syn.sport, { flags: RST | ACK, seq: 0, ack: 1001 })
    expect(n.x1.one().flags).toBe(RST | ACK)
    expect(n.connections()[0].state).toBe('CLOSE')
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 9000 })
    expect(n.y1.one().flags).toBe(SYN)
    expect(n.connections().map((c) => c.state)).toEqual(['SYN_SENT'])
  })
})

test('§3, §5: ports are not shared, and protocols have mappings of their own', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  n.x2.tcp(5000, n.y1.address, 53, { flags: SYN })
  n.x2.echo(5000, n.y1.address)
  expect(n.y1.take().map((p) => [p.protocol, p.sport])).toEqual([
    [17, 5000],
    [6, 5000],
    [1, 5000],
  ])
})

test('§4: when the paired address has no port left the host is refused, not split over two addresses', () => {
  const to = [range('192.168.100.12', '192.168.100.13')]
  const n = new NatLab([snat({ to, ports: { first: 2000, last: 2003 } })])
  for (let i = 0; i < 8; i++) n.x1.udp(5000 + i, n.y1.address, 53)
  const seen = n.y1.take()
  expect(seen).toHaveLength(4)
  expect(new Set(seen.map((p) => p.src)).size).toBe(1)
  expect(n.drops()['nat-ports-exhausted']).toBe(4)
})

test('§4: a host that comes when one address is full gets another', () => {
  const to = [range('192.168.100.12', '192.168.100.13')]
  const n = new NatLab([snat({ to, ports: { first: 2000, last: 2003 } })])
  for (let i = 0; i < 4; i++) n.x1.udp(5000 + i, n.y1.address, 53)
  const full = n.y1.take()[0].src
  for (let host = 2; host < 6; host++) n.x1.udp(6000, n.y1.address, 53, bytes(8), `10.0.0.1${host}`)
  const seen = n.y1.take()
  expect(seen).toHaveLength(4)
  expect(seen.every((p) => p.src !== full)).toBe(true)
})

test('§6, §7: strangers may come in by endpoint-independent filtering, but do not keep the mapping alive', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  n.y1.take()
  n.advance(4 * MINUTE)
  n.y2.udp(9, EXTERNAL, 5000)
  expect(n.x1.take()).toHaveLength(1)
  n.y2.tcp(9, EXTERNAL, 5000, { flags: SYN })
  expect(n.x1.take()).toEqual([])
  for (let i = 0; i < 6; i++) {
    n.advance(MINUTE)
    n.y2.udp(9, EXTERNAL, 5000)
  }
  expect(n.x1.take().length).toBeLessThanOrEqual(5)
  expect(n.connections()).toEqual([])
})

test('§8: an outbound RST or ICMP error that answers an unwanted packet does not refresh', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  n.y1.take()
  n.advance(4 * MINUTE)
  n.y1.udp(53, EXTERNAL, 5000)
  n.x1.error(n.x1.one(), 3, 3)
  expect(n.y1.take()).toHaveLength(1)
  n.advance(MINUTE + 200)
  expect(n.connections()).toEqual([])
})

test('§10: a port that cannot be kept is chosen at random', () => {
  const n = new NatLab()
  const chosen: number[] = []
  for (let i = 0; i < 16; i++) {
    n.x1.udp(5000 + i, n.y1.address, 53)
    n.y1.take()
    n.x2.udp(5000 + i, n.y1.address, 53)
    chosen.push(n.y1.one().sport)
  }
  const steps = chosen.slice(1).map((p, i) => Math.abs(p - chosen[i]))
  expect(steps.filter((s) => s > 100).length).toBeGreaterThan(10)
})
