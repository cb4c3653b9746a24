import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RouterSpec } from '../../../engine/dpif.ts'
import { type Random, seededRandom } from '../../../protocols/random.ts'
import * as arp from '../../../protocols/wire/arp.ts'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import {
  bytes,
  DEFAULT_ROUTER,
  datagram,
  echoPayload,
  frame,
  ip,
  Lab,
  ROUTER_MAC_0,
  ROUTER_MAC_1,
  udpPayload,
} from './lab.ts'

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.254',
  '10.0.0.255',
  '192.168.100.1',
  '192.168.100.11',
  '192.168.100.77',
  '8.8.8.8',
  '127.0.0.1',
  '255.255.255.255',
  '224.0.0.1',
  '0.0.0.0',
]

const MASQUERADE: RouterSpec['nat'] = [
  {
    type: 'masquerade',
    source: { prefix: ip('10.0.0.0'), prefixLength: 24 },
    outInterface: 'eth1',
    to: [],
    ports: { first: 1024, last: 65535 },
    filtering: 'endpoint-independent',
  },
]

/** A frame that means something, most of the time. */
function plausible(random: Random): Uint8Array {
  const pick = <T>(from: readonly T[]): T => from[random() % from.length]
  const dst = pick([ROUTER_MAC_0, ROUTER_MAC_0, ethernet.BROADCAST, 0x01_00_5e_00_00_01])
  const src = 0x02_00_00_00_00_0a
  if (random() % 5 === 0) {
    const b = new Uint8Array(46)
    arp.emit(
      { operation: 1 + (random() % 2), sha: src, spa: ip(pick(ADDRESSES)), tha: 0, tpa: ip(pick(ADDRESSES)) },
      b,
      0,
    )
    return frame(dst, src, ethernet.TYPE_ARP, b)
  }
  const from = pick(ADDRESSES)
  const to = pick(ADDRESSES)
  const size = random() % 1400
  const protocol = pick([1, 6, 17, 17, 89])
  const payload =
    protocol === 1
      ? echoPayload(random() & 0xffff, 1, bytes(size))
      : udpPayload(from, to, random() & 0xffff, pick([9, 67, 33434]), bytes(size))
  return frame(
    dst,
    src,
    ethernet.TYPE_IPV4,
    datagram({
      src: from,
      dst: to,
      protocol,
      payload,
      ttl: pick([0, 1, 2, 64]),
      df: random() % 2 === 0,
      mf: random() % 6 === 0,
      offset: random() % 8 === 0 ? (random() % 200) * 8 : 0,
      id: random() % 4,
      ...(random() % 6 === 0 ? { options: Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0]) } : {}),
    }),
  )
}

/** Breaks a few bytes, or cuts the frame short. */
function damage(f: Uint8Array, random: Random): Uint8Array {
  const out = f.slice(0, random() % 4 === 0 ? 14 + (random() % (f.length - 13)) : f.length)
  for (let n = random() % 4; n > 0; n--) {
    // The header bytes are where the decisions are.
    const at = random() % Math.min(out.length, random() % 3 === 0 ? out.length : 62)
    out[at] = random() & 0xff
  }
  // A changed header is most telling with a right checksum.
  if (random() % 2 === 0 && out.length >= 34 && ipv4.checkHeader(out, 14, out.length)) {
    ipv4.fillChecksum(out, 14)
  }
  return out
}

describe('bad input', () => {
  test.each([
    ['a plain router', []],
    ['a router with NAT', MASQUERADE],
  ])('%s takes 100,000 damaged frames without a throw or a lost cell', (_name, nat) => {
    const [eth0, eth1] = DEFAULT_ROUTER.interfaces
    const lab = new Lab({ ...DEFAULT_ROUTER, interfaces: [eth0, { ...eth1, mtu: 700 }], nat })
    const random = seededRandom(42)
    for (let i = 0; i < 100_000; i++) {
      const f = plausible(random)
      ;(random() % 8 === 0 ? lab.b : lab.a).device.inject(random() % 3 === 0 ? f : damage(f, random))
      if (i % 50 === 0) {
        lab.now += 10
        lab.run()
        lab.a.take()
        lab.b.take()
      }
    }
    lab.advance(60_000)
    lab.a.take()
    lab.b.take()
    expect(lab.pool.available).toBe(lab.pool.cells)
    expect(lab.local.commands.neighbors('rt').length).toBeLessThanOrEqual(512)
    lab.a.sendUdp('192.168.100.1', 9)
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

test('what the cache does with a packet is what translating it anew would do', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 10, max: 80 }), (seed, count) => {
      const outcome = (forget: boolean) => {
        const lab = new Lab()
        const random = seededRandom(seed)
        const seen: unknown[] = []
        for (let i = 0; i < count; i++) {
          if (forget) lab.local.commands.routerPut({ ...DEFAULT_ROUTER })
          const f = plausible(random)
          const b = random() % 4 === 0
          if (b) ethernet.setDst(f, 0, ROUTER_MAC_1)
          ;(b ? lab.b : lab.a).device.inject(f)
          lab.run()
          seen.push([
            lab.a.take().map((s) => [...s.frame]),
            lab.b.take().map((s) => [...s.frame]),
            lab.drops(),
          ])
        }
        return seen
      }
      expect(outcome(false)).toEqual(outcome(true))
    }),
    { numRuns: 40 },
  )
})
