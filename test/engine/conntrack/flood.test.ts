/** Floods through NAT: tables stay within their bounds, and others go on. */
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../protocols/random.ts'
import { datagram, frame, ROUTER_MAC_0, ROUTER_MAC_1 } from '../router/lab.ts'
import {
  ACK,
  bytes,
  dnat,
  EXTERNAL,
  type Host,
  handshake,
  ip,
  NatLab,
  SYN,
  snat,
  tcpPayload,
} from './nat-lab.ts'

const random = seededRandom(5)

/** SYNs in bursts of 32, from random ports of `src` to random ports of `dst`. */
function flood(
  n: NatLab,
  from: Host,
  gateway: number,
  count: number,
  make: () => [string, string, number, number],
): void {
  for (let i = 0; i < count; i++) {
    const [src, dst, sport, dport] = make()
    const payload = tcpPayload(src, dst, sport, dport, { flags: SYN, seq: random() })
    from.station.device.inject(
      frame(gateway, from.station.mac, 0x0800, datagram({ src, dst, protocol: 6, payload })),
    )
    if (i % 32 === 31) n.lab.local.step(n.lab.now)
    if (i % 1024 === 1023) n.lab.now += 1
  }
  n.lab.run()
}

function port(): number {
  return 1024 + (random() % 60_000)
}

describe('a SYN flood from inside', () => {
  test('that fills the table makes way for others and never ends an established connection', () => {
    const n = new NatLab([snat()], { maxConnections: 2048 })
    const established = handshake(n.x2, 5000, n.y2, 80)
    for (let round = 0; round < 4; round++) {
      flood(n, n.x1, ROUTER_MAC_0, 10_000, () => [n.x1.address, n.y1.address, port(), port()])
      expect(
        n.connections().length + n.lab.local.commands.connections('rt', 1000).rows.length,
      ).toBeGreaterThan(1000)
      expect(n.lab.local.commands.stats().connections).toBeLessThanOrEqual(2048)
      n.x2.take()
      n.y2.take()
      n.y1.station.take()
      handshake(n.x2, 5001 + round, n.y2, 80)
      n.y2.tcp(80, EXTERNAL, established, { flags: ACK, seq: 5001, ack: 1001, data: bytes(10) })
      expect(n.x2.one().dport).toBe(5000)
    }
    const stats = n.lab.local.commands.stats()
    expect(stats.cellsFree).toBe(stats.cells)
  })

  test('that takes every port makes way too', () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2999 } })], { maxConnections: 65_536 })
    const established = handshake(n.x2, 2000, n.y2, 80)
    flood(n, n.x1, ROUTER_MAC_0, 10_000, () => [n.x1.address, n.y1.address, port(), 80])
    expect(n.lab.local.commands.stats().connections).toBeLessThanOrEqual(1000)
    n.y1.station.take()
    for (let i = 0; i < 20; i++) handshake(n.x2, 3000 + i, n.y2, 80)
    n.y2.tcp(80, EXTERNAL, established, { flags: ACK, seq: 5001, ack: 1001, data: bytes(10) })
    expect(n.x2.one().dport).toBe(2000)
  })

  test('is forgotten four minutes later', () => {
    const n = new NatLab([snat()], { maxConnections: 4096 })
    flood(n, n.x1, ROUTER_MAC_0, 5000, () => [n.x1.address, n.y1.address, port(), port()])
    expect(n.lab.local.commands.stats().connections).toBeGreaterThan(4000)
    n.advance(241_000)
    expect(n.lab.local.commands.stats().connections).toBe(0)
  })
})

test('a SYN flood from outside against a forwarded port, with forged senders', () => {
  const forward = dnat({ protocol: 'tcp', ports: { first: 80, last: 80 }, to: ip('10.0.0.1') })
  const n = new NatLab([snat(), forward], { maxConnections: 1024 })
  handshake(n.x2, 5000, n.y2, 80)
  flood(n, n.y1, ROUTER_MAC_1, 20_000, () => [
    `203.0.${random() % 256}.${1 + (random() % 250)}`,
    EXTERNAL,
    port(),
    80,
  ])
  expect(n.lab.local.commands.stats().connections).toBeLessThanOrEqual(1024)
  n.x1.station.take()
  n.y2.tcp(7000, EXTERNAL, 80, { flags: SYN, seq: 1 })
  expect(n.x1.one()).toMatchObject({ src: n.y2.address, sport: 7000 })
  n.x1.tcp(80, n.y2.address, 7000, { flags: SYN | ACK, seq: 9, ack: 2 })
  n.y2.take()
  n.y2.tcp(7000, EXTERNAL, 80, { flags: ACK, seq: 2, ack: 10 })
  expect(n.connections().filter((c) => c.state === 'ESTABLISHED')).toHaveLength(2)
})

test('a SYN flood against the external address itself leaves no connection', () => {
  const n = new NatLab()
  flood(n, n.y1, ROUTER_MAC_1, 20_000, () => [n.y1.address, EXTERNAL, port(), port()])
  const stats = n.lab.local.commands.stats()
  expect(stats.connections).toBe(0)
  expect(stats.cellsFree).toBe(stats.cells)
  n.x1.udp(5000, n.y2.address, 53)
  expect(n.y2.take()).toHaveLength(1)
})

test('a UDP flood from one host to many fills the table and makes way for others', () => {
  const n = new NatLab([snat()], { maxConnections: 1024 })
  for (let i = 0; i < 5000; i++) n.x1.udp(5000, n.y1.address, 1024 + i)
  expect(n.lab.local.commands.stats().connections).toBe(1024)
  n.y1.take()
  handshake(n.x2, 6000, n.y2, 80)
  n.x2.udp(6000, n.y2.address, 53)
  expect(n.y2.take()).toHaveLength(1)
})
