/** Damaged packets through NAT: nothing is thrown, nothing leaks, connections that are in use go on. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../protocols/random.ts'
import * as icmpv4 from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import { datagram, frame, ROUTER_MAC_0, ROUTER_MAC_1, udpPayload } from '../router/lab.ts'
import {
  ACK,
  bytes,
  dnat,
  EXTERNAL,
  FIN,
  handshake,
  ip,
  NatLab,
  RST,
  SYN,
  snat,
  tcpPayload,
} from './nat-lab.ts'

/** Headers are sealed again after the damage, so that it gets past the checksums. */
function seal(b: Uint8Array): void {
  if (b.length < 34 || (b[14] & 15) < 5 || 14 + ((b[14] & 15) << 2) > b.length) return
  ipv4.fillChecksum(b, 14)
  const l4 = ipv4.payload(b, 14)
  const end = Math.min(ipv4.end(b, 14), b.length)
  if (b[23] !== ipv4.PROTO_ICMP || end - l4 < 8) return
  const inner = l4 + 8
  if (end - inner >= 20 && inner + ((b[inner] & 15) << 2) <= end) ipv4.fillChecksum(b, inner)
  icmpv4.fillChecksum(b, l4, end)
}

test('frames damaged at random, from both sides', () => {
  const forward = dnat({ protocol: 'tcp', ports: { first: 80, last: 80 }, to: ip('10.0.0.1') })
  const n = new NatLab([snat(), forward], { maxConnections: 512, icmpErrorRate: 1_000_000 })
  const port = handshake(n.x2, 5000, n.y2, 80)
  n.x1.udp(5000, n.y1.address, 53)
  n.x1.tcp(5001, n.y1.address, 80, { flags: SYN, seq: 1 })
  n.x1.echo(9, n.y1.address)
  const sent = n.y1.take()
  const { x1, y1 } = n
  const seeds: [number, number, Uint8Array][] = [
    ...sent.map((p): [number, number, Uint8Array] => {
      const data = p.frame.slice(14)
      const payload = new Uint8Array(8 + data.length)
      icmpv4.emit({ type: 3, code: 4, rest: 1400, data }, payload, 0)
      return [1, ROUTER_MAC_1, datagram({ src: y1.address, dst: EXTERNAL, protocol: 1, payload })]
    }),
    ...[SYN, ACK, RST, FIN | ACK].map((flags): [number, number, Uint8Array] => {
      const payload = tcpPayload(y1.address, EXTERNAL, 7000, 80, { flags, seq: 1 })
      return [1, ROUTER_MAC_1, datagram({ src: y1.address, dst: EXTERNAL, protocol: 6, payload })]
    }),
    [
      0,
      ROUTER_MAC_0,
      datagram({
        src: x1.address,
        dst: y1.address,
        payload: udpPayload(x1.address, y1.address, 1, 2, bytes(9)),
      }),
    ],
  ]
  const random = seededRandom(11)
  for (let i = 0; i < 30_000; i++) {
    const [side, mac, packet] = seeds[random() % seeds.length]
    const host = side === 0 ? x1 : y1
    let b = frame(mac, host.station.mac, 0x0800, packet)
    for (let hits = random() % 4; hits > 0; hits--) b[14 + (random() % (b.length - 14))] = random()
    if (random() % 4 === 0) b = b.slice(0, 14 + (random() % (b.length - 13)))
    if (random() % 4 !== 0) seal(b)
    host.station.device.inject(b)
    if (i % 32 === 31) {
      n.lab.now += 5
      n.lab.run()
      for (const h of n.hosts) h.station.take()
    }
  }
  n.lab.run()
  for (const h of n.hosts) h.station.take()
  expect(n.lab.local.commands.stats().connections).toBeLessThanOrEqual(512)
  n.y2.tcp(80, EXTERNAL, port, { flags: ACK, seq: 5001, ack: 1001, data: bytes(10) })
  expect(n.x2.one().dport).toBe(5000)
  n.advance(60_000)
  const { cells, cellsFree } = n.lab.local.commands.stats()
  expect(cellsFree).toBe(cells)
})

test('an ICMP error that quotes anything at all is translated wholly or not at all', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  const data = n.y1.one().frame.slice(14)
  let arrived = 0
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(data.length - 1), fc.nat(255)), { maxLength: 3 }),
      fc.nat(data.length),
      (hits, length) => {
        const quote = data.slice()
        for (const [at, value] of hits) quote[at] = value
        n.lab.now += 10
        n.y1.icmp(EXTERNAL, { type: 3, code: 3, rest: 0, data: quote.slice(0, length) })
        // take() has found every checksum of what arrived right.
        for (const p of n.x1.take()) {
          const inner = p.icmp!.data
          expect(ipv4.verifyChecksum(inner, 0)).toBe(true)
          expect(ipv4.formatIpv4(ipv4.src(inner, 0))).toBe(n.x1.address)
          expect(length).toBeGreaterThanOrEqual(28)
          arrived++
        }
        n.y1.take()
      },
    ),
    { numRuns: 1000 },
  )
  expect(arrived).toBeGreaterThan(100)
})
