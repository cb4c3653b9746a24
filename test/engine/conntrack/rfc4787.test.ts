/** RFC 4787, Network Address Translation (NAT) Behavioral Requirements for Unicast UDP: each REQ that applies. */
import { describe, expect, test } from 'vitest'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import { udpPayload } from '../router/lab.ts'
import { bytes, dnat, EXTERNAL, ip, NatLab, quoted, range, snat } from './nat-lab.ts'

const MINUTE = 60_000

describe('REQ-1', () => {
  test('REQ-1: the mapping of an internal endpoint is the same whomever it sends to', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5000, n.y1.address, 54)
    n.x1.udp(5000, n.y2.address, 53)
    const seen = [...n.y1.take(), ...n.y2.take()]
    expect(seen.map((p) => [p.src, p.sport])).toEqual(Array(3).fill([EXTERNAL, 5000]))
    expect(n.connections()).toHaveLength(3)
  })

  test('REQ-1: also when the port could not be kept', () => {
    const n = new NatLab()
    n.x2.udp(5000, n.y1.address, 53)
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5000, n.y2.address, 99)
    const [other, first] = n.y1.take()
    expect(other.sport).toBe(5000)
    expect(first.sport).not.toBe(5000)
    expect(n.y2.one().sport).toBe(first.sport)
  })
})

describe('REQ-2', () => {
  test('REQ-2: all sessions of a host have the same external address (paired)', () => {
    const n = new NatLab([snat({ to: [range('192.168.100.12', '192.168.100.27')] })])
    for (let i = 0; i < 20; i++) n.x1.udp(6000 + i, n.y1.address, 53)
    for (let i = 0; i < 20; i++) n.x1.tcp(6000 + i, n.y1.address, 80, { flags: 2 })
    n.x1.echo(7, n.y1.address)
    const seen = n.y1.take()
    expect(seen).toHaveLength(41)
    expect(new Set(seen.map((p) => p.src)).size).toBe(1)
  })

  test('REQ-2: hosts are spread over the addresses', () => {
    const n = new NatLab([snat({ to: [range('192.168.100.12', '192.168.100.27')] })])
    for (let i = 1; i < 100; i++) n.x1.udp(6000, n.y1.address, 53, bytes(8), `10.0.0.${100 + i}`)
    expect(new Set(n.y1.take().map((p) => p.src)).size).toBeGreaterThan(8)
  })
})

describe('REQ-3', () => {
  test('REQ-3: a port that is free is kept', () => {
    const n = new NatLab()
    n.x1.udp(40_123, n.y1.address, 53)
    expect(n.y1.one().sport).toBe(40_123)
  })

  test('REQ-3: no port is given to two internal endpoints at once (no port overloading)', () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2009 } })])
    for (let i = 0; i < 5; i++) {
      n.x1.udp(3000 + i, n.y1.address, 53)
      n.x2.udp(3000 + i, n.y2.address, 53)
    }
    const ports = [...n.y1.take(), ...n.y2.take()].map((p) => p.sport)
    expect(ports).toHaveLength(10)
    expect(new Set(ports).size).toBe(10)
  })

  test('REQ-3a: privileged ports become privileged ports, others others', () => {
    const n = new NatLab([snat({ ports: { first: 1, last: 65_535 } })])
    n.x1.udp(500, n.y1.address, 53)
    n.x2.udp(500, n.y1.address, 53)
    n.x1.udp(5000, n.y1.address, 53)
    n.x2.udp(5000, n.y1.address, 53)
    const [a, b, c, d] = n.y1.take().map((p) => p.sport)
    expect(a).toBe(500)
    expect(b).toBeLessThan(1024)
    expect(c).toBe(5000)
    expect(d).toBeGreaterThanOrEqual(1024)
  })

  test('when ports run out the new one is refused and counted, the old ones go on', () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2001 } })])
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5001, n.y1.address, 53)
    const before = n.y1.take().map((p) => p.sport)
    n.x2.udp(6000, n.y1.address, 53)
    expect(n.y1.take()).toEqual([])
    expect(n.drops()['nat-ports-exhausted']).toBe(1)
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5001, n.y2.address, 53)
    expect([n.y1.one().sport, n.y2.one().sport]).toEqual(before)
  })
})

describe('REQ-4', () => {
  test('REQ-4: parity is kept: an even port becomes an even one, an odd one an odd one', () => {
    const n = new NatLab()
    for (let port = 7000; port < 7020; port++) n.x1.udp(port, n.y1.address, 53)
    n.y1.take()
    for (let port = 7000; port < 7020; port++) {
      n.x2.udp(port, n.y1.address, 53)
      const seen = n.y1.one().sport
      expect(seen).not.toBe(port)
      expect(seen & 1).toBe(port & 1)
    }
  })

  test('REQ-4: rather the wrong parity than none at all', () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2001 } })])
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5002, n.y1.address, 53)
    expect(n.y1.take().map((p) => p.sport)).toEqual([2000, 2001])
  })
})

describe('REQ-5', () => {
  test('REQ-5, REQ-5c: a mapping lives for five minutes without traffic, and no longer', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    n.advance(5 * MINUTE - 1)
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.one().dport).toBe(5000)
    n.advance(200)
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.take()).toEqual([])
    expect(n.connections()).toEqual([])
  })

  test('REQ-5b: the timer is configurable', () => {
    const timeouts = { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 2 * MINUTE, icmp: MINUTE }
    const n = new NatLab([snat()], { timeouts })
    n.x1.udp(5000, n.y1.address, 53)
    n.advance(2 * MINUTE - 1)
    expect(n.connections()).toHaveLength(1)
    n.advance(201)
    expect(n.connections()).toEqual([])
  })
})

describe('REQ-6', () => {
  test('REQ-6: outbound packets refresh the mapping', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    for (let i = 0; i < 4; i++) {
      n.advance(4 * MINUTE)
      n.x1.udp(5000, n.y1.address, 53)
    }
    expect(n.connections()).toHaveLength(1)
    expect(n.connections()[0].expires).toBe(300)
  })

  test('REQ-6a: inbound packets do not', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    n.advance(4 * MINUTE)
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.take()).toHaveLength(1)
    n.advance(MINUTE + 200)
    expect(n.connections()).toEqual([])
  })
})

describe('REQ-8', () => {
  const cases = [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const
  for (const [filtering, samePeer, anyone] of cases) {
    test(`REQ-8: ${filtering} filtering`, () => {
      const n = new NatLab([snat({ filtering })])
      n.x1.udp(5000, n.y1.address, 53)
      const out = n.y1.one()
      n.y1.udp(53, out.src, out.sport)
      expect(n.x1.take()).toHaveLength(1)
      n.y1.udp(9999, out.src, out.sport)
      expect(n.x1.take()).toHaveLength(samePeer ? 1 : 0)
      n.y2.udp(53, out.src, out.sport)
      const strangers = n.x1.take()
      expect(strangers).toHaveLength(anyone ? 1 : 0)
      if (anyone)
        expect(strangers[0]).toMatchObject({ src: n.y2.address, sport: 53, dst: n.x1.address, dport: 5000 })
      expect(n.drops()['nat-filtered'] ?? 0).toBe((samePeer ? 0 : 1) + (anyone ? 0 : 1))
    })
  }

  test('REQ-8: what was filtered passes once the inside has sent there', () => {
    for (const filtering of ['address-dependent', 'address-and-port-dependent'] as const) {
      const n = new NatLab([snat({ filtering })])
      n.x1.udp(5000, n.y1.address, 53)
      const out = n.y1.one()
      n.y2.udp(7, out.src, out.sport)
      n.y2.udp(7, out.src, out.sport)
      expect(n.x1.take()).toEqual([])
      n.x1.udp(5000, n.y2.address, 7)
      n.y2.take()
      n.y2.udp(7, out.src, out.sport)
      expect(n.x1.one().sport).toBe(7)
    }
  })

  test('REQ-8: what was cached as filtered or unmapped is seen anew when a mapping or a session comes', () => {
    const n = new NatLab([snat({ filtering: 'address-dependent' })])
    for (let i = 0; i < 2; i++) n.y2.udp(7, EXTERNAL, 5000)
    n.x1.udp(5000, n.y1.address, 53)
    for (let i = 0; i < 2; i++) n.y2.udp(7, EXTERNAL, 5000)
    expect(n.x1.take()).toEqual([])
    expect(n.drops()['nat-filtered']).toBe(2)
    n.x1.udp(5000, n.y2.address, 8)
    n.y2.udp(7, EXTERNAL, 5000)
    expect(n.x1.one()).toMatchObject({ src: n.y2.address, sport: 7, dport: 5000 })
  })

  test('REQ-8: what was cached as unmapped reaches the mapping that comes, endpoint-independently', () => {
    const n = new NatLab()
    for (let i = 0; i < 2; i++) n.y2.udp(7, EXTERNAL, 5000)
    n.x1.udp(5000, n.y1.address, 53)
    n.y2.udp(7, EXTERNAL, 5000)
    expect(n.x1.one()).toMatchObject({ src: n.y2.address, sport: 7, dport: 5000 })
  })

  test('REQ-8: a filter closes again when the session that opened it ends', () => {
    const n = new NatLab([snat({ filtering: 'address-dependent' })])
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    n.advance(4 * MINUTE)
    n.x1.udp(5000, n.y2.address, 53)
    n.advance(2 * MINUTE)
    n.y1.udp(54, out.src, out.sport)
    expect(n.x1.take()).toEqual([])
    n.y2.udp(54, out.src, out.sport)
    expect(n.x1.take()).toHaveLength(1)
  })

  test('what is sent to a mapping reaches nobody once the mapping is gone', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    n.y2.udp(53, EXTERNAL, 5000)
    expect(n.x1.take()).toHaveLength(1)
    n.advance(6 * MINUTE)
    n.y2.udp(53, EXTERNAL, 5000)
    expect(n.x1.take()).toEqual([])
  })
})

describe('REQ-9', () => {
  for (const filtering of [
    'endpoint-independent',
    'address-dependent',
    'address-and-port-dependent',
  ] as const) {
    test(`REQ-9, REQ-9a: hairpinning, the source is external (${filtering})`, () => {
      const n = new NatLab([snat({ filtering })])
      n.x1.udp(5000, n.y1.address, 53)
      n.x2.udp(6000, n.y1.address, 53)
      n.y1.take()
      n.x1.udp(5000, EXTERNAL, 6000)
      expect(n.x2.one()).toMatchObject({ src: EXTERNAL, sport: 5000, dst: n.x2.address, dport: 6000 })
      n.x2.udp(6000, EXTERNAL, 5000)
      expect(n.x1.one()).toMatchObject({ src: EXTERNAL, sport: 6000, dst: n.x1.address, dport: 5000 })
    })
  }

  test('REQ-9: a forwarded port is reached from inside by its external address', () => {
    const forward = dnat({
      protocol: 'udp',
      ports: { first: 8080, last: 8080 },
      to: ip('10.0.0.2'),
      toPort: 80,
    })
    const n = new NatLab([snat(), forward])
    n.x1.udp(5000, EXTERNAL, 8080)
    const seen = n.x2.one()
    expect(seen).toMatchObject({ src: EXTERNAL, sport: 5000, dport: 80 })
    n.x2.udp(80, seen.src, seen.sport)
    expect(n.x1.one()).toMatchObject({ src: EXTERNAL, sport: 8080, dport: 5000 })
  })

  test('REQ-9: an endpoint reaches itself', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5001, EXTERNAL, 5000)
    expect(n.x1.one()).toMatchObject({ src: EXTERNAL, sport: 5001, dport: 5000 })
  })
})

test('REQ-11: behaviour is the same at any time: preserved or not, a port is chosen by the same rule', () => {
  const n = new NatLab()
  for (let i = 0; i < 300; i++) {
    n.x1.udp(10_000 + i, n.y1.address, 53)
    expect(n.y1.one().sport).toBe(10_000 + i)
  }
})

describe('REQ-12', () => {
  test('REQ-12: no ICMP message ends a mapping', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    for (const [type, code] of [
      [3, 0],
      [3, 1],
      [3, 3],
      [3, 13],
      [4, 0],
      [11, 0],
      [12, 0],
    ])
      n.y1.error(out, type, code)
    expect(n.x1.take()).toHaveLength(7)
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.one().dport).toBe(5000)
  })

  test('REQ-12a, REQ-12b: destination unreachable comes in from whatever router sends it', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    n.y2.error(out, icmp.DESTINATION_UNREACHABLE, icmp.HOST_UNREACHABLE, 28, 0, '203.0.113.5')
    const seen = n.x1.one()
    expect(seen).toMatchObject({ src: '203.0.113.5', dst: n.x1.address })
    expect(quoted(seen)).toMatchObject({
      src: n.x1.address,
      sport: 5000,
      dst: n.y1.address,
      dport: 53,
      headerIsRight: true,
    })
  })
})

describe('REQ-13', () => {
  test('REQ-13: too long with DF set: fragmentation needed', () => {
    const n = new NatLab([snat()], { interfaces: narrow() })
    const payload = udpPayload(n.x1.address, n.y1.address, 5000, 53, bytes(1200))
    n.x1.station.send({ dst: n.y1.address, payload, df: true })
    const e = n.x1.one()
    expect(e.icmp).toMatchObject({ type: 3, code: 4, rest: 1000 })
    expect(quoted(e)).toMatchObject({ src: n.x1.address, sport: 5000 })
  })

  test('REQ-13a: without DF it is fragmented, in order, after translation', () => {
    const n = new NatLab([snat()], { interfaces: narrow() })
    const payload = udpPayload(n.x1.address, n.y1.address, 5000, 53, bytes(1200))
    n.x1.station.send({ dst: n.y1.address, payload })
    const pieces = n.y1.station.takeIp()
    expect(pieces.map((p) => [ipv4.formatIpv4(p.ip!.src), p.ip!.fragmentOffset])).toEqual([
      [EXTERNAL, 0],
      [EXTERNAL, 976],
    ])
  })
})

describe('REQ-14', () => {
  const payload = (src: string, dst: string) => udpPayload(src, dst, 5000, 5353, bytes(1192))

  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    test(`REQ-14: fragments received in the order ${order} are translated`, () => {
      const n = new NatLab()
      const whole = payload(n.x1.address, n.y1.address)
      for (const i of order) {
        n.x1.station.send({
          dst: n.y1.address,
          payload: whole.subarray(i * 400, (i + 1) * 400),
          offset: i * 400,
          mf: i < 2,
          id: 77,
        })
      }
      const seen = n.y1.one()
      expect(seen).toMatchObject({ src: EXTERNAL, sport: 5000, dport: 5353 })
      expect(seen.data).toEqual(bytes(1192))
    })
  }

  test('REQ-14: fragments from outside too', () => {
    const n = new NatLab()
    n.x1.udp(5353, n.y1.address, 5000)
    n.y1.take()
    const whole = payload(n.y1.address, EXTERNAL)
    n.y1.station.send({ dst: EXTERNAL, payload: whole.subarray(400), offset: 400, mf: false })
    n.y1.station.send({ dst: EXTERNAL, payload: whole.subarray(0, 400), mf: true })
    expect(n.x1.one()).toMatchObject({ src: n.y1.address, sport: 5000, dport: 5353 })
  })
})

function narrow() {
  const make = (name: string, mac: number, address: string, mtu: number) => ({
    name,
    mac,
    mtu,
    addresses: [{ address: ip(address), prefixLength: 24 }],
    services: [],
  })
  return [
    make('eth0', 0x02_00_00_00_01_00, '10.0.0.254', 1500),
    make('eth1', 0x02_00_00_00_01_01, EXTERNAL, 1000),
  ]
}
