/** NAT in the whole engine, caches and all, against its naive twin on random traffic. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Filtering, NaiveNat } from '../../reference/naive-nat.ts'
import { EXTERNAL, NatLab, snat } from './nat-lab.ts'

const FIRST = 2000
const LAST = 2005

const event = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('out' as const),
      host: fc.nat(1),
      port: fc.integer({ min: 2000, max: 2004 }),
      peer: fc.nat(1),
      peerPort: fc.integer({ min: 7, max: 8 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('in' as const),
      external: fc.integer({ min: FIRST - 1, max: LAST + 1 }),
      peer: fc.nat(1),
      peerPort: fc.integer({ min: 7, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 31 }) }),
  },
)

for (const filtering of [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
] as const) {
  test(`${filtering}: every packet goes where the twin says, and no two endpoints share a port`, () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 80 }), (events) => {
        const n = new NatLab([
          snat({ filtering: filtering satisfies Filtering, ports: { first: FIRST, last: LAST } }),
        ])
        const ports = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i)
        const twin = new NaiveNat(filtering, ports, 300_000)
        const inside = [n.x1, n.x2]
        const outside = [n.y1, n.y2]
        for (const e of events) {
          const { now } = n.lab
          if (e.do === 'wait') {
            // No multiple of this lies near the timeout, where a tick more or less would matter.
            n.advance(e.turns * 10_050)
          } else if (e.do === 'out') {
            const host = inside[e.host]
            const peer = outside[e.peer]
            const internal = `${host.address}:${e.port}`
            const allowed = twin.allowed(internal, e.port, now)
            host.udp(e.port, peer.address, e.peerPort)
            const seen = peer.take()
            expect(seen).toHaveLength(allowed.length === 0 ? 0 : 1)
            host.take()
            if (seen.length === 0) continue
            expect(seen[0]).toMatchObject({ src: EXTERNAL, dport: e.peerPort })
            expect(allowed).toContain(seen[0].sport)
            twin.sent(internal, seen[0].sport, peer.address, e.peerPort, now)
          } else {
            const peer = outside[e.peer]
            const reached = twin.received(e.external, peer.address, e.peerPort, now)
            peer.udp(e.peerPort, EXTERNAL, e.external)
            const got = inside.flatMap((h) =>
              h.take().map((p) => `${p.dst}:${p.dport} from ${p.src}:${p.sport}`),
            )
            expect(got).toEqual(
              reached === undefined ? [] : [`${reached} from ${peer.address}:${e.peerPort}`],
            )
            peer.take()
          }
        }
      }),
      { numRuns: 25 },
    )
  }, 60_000)
}
