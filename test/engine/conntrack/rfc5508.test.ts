/** RFC 5508, NAT Behavioral Requirements for ICMP: each REQ that applies. */
import { describe, expect, test } from 'vitest'
import { put16 } from '../../../protocols/wire/big-endian.ts'
import { checksum, pseudoHeader4, sum } from '../../../protocols/wire/checksum.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import { udpPayload } from '../router/lab.ts'
import { bytes, dnat, EXTERNAL, ip, NatLab, type Packet, quoted, SYN, snat } from './nat-lab.ts'

const MINUTE = 60_000

describe('REQ-1', () => {
  for (const [type, reply] of [
    [8, 0],
    [13, 14],
    [15, 16],
    [17, 18],
  ]) {
    test(`REQ-1: a query of type ${type} from inside and its reply`, () => {
      const n = new NatLab()
      n.x1.echo(77, n.y1.address, type)
      const query = n.y1.one()
      expect(query).toMatchObject({ src: EXTERNAL, sport: 77 })
      expect(query.icmp!.type).toBe(type)
      n.y1.echo(77, EXTERNAL, reply)
      expect(n.x1.one()).toMatchObject({ src: n.y1.address, dst: n.x1.address, sport: 77 })
    })
  }

  test('REQ-1a: the identifier is mapped independently of the host asked', () => {
    const n = new NatLab()
    n.x2.echo(77, n.y1.address)
    n.x1.echo(77, n.y1.address)
    n.x1.echo(77, n.y2.address)
    const [other, first] = n.y1.take()
    expect(other.sport).toBe(77)
    expect(first.sport).not.toBe(77)
    expect(n.y2.one().sport).toBe(first.sport)
    n.y1.echo(first.sport, EXTERNAL, icmp.ECHO_REPLY)
    expect(n.x1.one().sport).toBe(77)
  })

  test('queries to the router itself are its own, whatever is mapped', () => {
    const n = new NatLab()
    n.x1.echo(77, n.y1.address)
    n.y1.take()
    n.y1.echo(77, EXTERNAL)
    expect(n.y1.one().icmp!.type).toBe(icmp.ECHO_REPLY)
    expect(n.x1.take()).toEqual([])
  })
})

describe('REQ-2', () => {
  test('REQ-2: a query session lives for 60 seconds', () => {
    const n = new NatLab()
    n.x1.echo(77, n.y1.address)
    n.advance(MINUTE - 1)
    n.y1.echo(77, EXTERNAL, icmp.ECHO_REPLY)
    expect(n.x1.take()).toHaveLength(1)
    n.advance(MINUTE + 200)
    expect(n.connections()).toEqual([])
  })

  test('REQ-2a: the timer is configurable', () => {
    const timeouts = { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 300_000, icmp: 5 * MINUTE }
    const n = new NatLab([snat()], { timeouts })
    n.x1.echo(77, n.y1.address)
    expect(n.connections()[0].expires).toBe(300)
  })
})

describe('REQ-3', () => {
  function errorBytes(about: Packet, spoil: (b: Uint8Array) => void, seal = true): Uint8Array {
    const data = about.frame.slice(14, 14 + 28)
    const message = new Uint8Array(8 + data.length)
    icmp.emit({ type: 3, code: 3, rest: 0, data }, message, 0)
    spoil(message)
    if (seal) icmp.fillChecksum(message, 0, message.length)
    return message
  }

  function send(n: NatLab, payload: Uint8Array): void {
    n.y1.station.send({ dst: EXTERNAL, protocol: ipv4.PROTO_ICMP, payload })
  }

  test('REQ-3: a wrong ICMP checksum: dropped', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const bad = errorBytes(
      n.y1.one(),
      (b) => {
        b[2] ^= 1
      },
      false,
    )
    send(n, bad)
    expect(n.x1.take()).toEqual([])
  })

  test('REQ-3a: a wrong checksum of the quoted IP header: dropped', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    send(
      n,
      errorBytes(n.y1.one(), (b) => {
        b[8 + 8] ^= 1
      }),
    )
    expect(n.x1.take()).toEqual([])
  })

  test('REQ-3b: options of the quoted header are passed over', () => {
    const n = new NatLab()
    const payload = udpPayload(n.x1.address, n.y1.address, 5000, 53, bytes(16))
    n.x1.station.send({ dst: n.y1.address, payload, options: new Uint8Array([1, 1, 1, 1]) })
    const out = n.y1.one()
    expect(out.frame[14] & 15).toBe(6)
    n.y1.error(out, 3, 3, 32)
    expect(quoted(n.x1.one())).toMatchObject({ src: n.x1.address, sport: 5000, headerIsRight: true })
  })

  test('REQ-3c: a wrong transport checksum of the quoted packet does not matter', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    send(
      n,
      errorBytes(n.y1.one(), (b) => {
        b[8 + 20 + 6] ^= 0x55
      }),
    )
    expect(n.x1.take()).toHaveLength(1)
  })

  test('a quoted packet whose transport header is whole has its checksum put right as well', () => {
    const n = new NatLab()
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1000 })
    n.x1.udp(5001, n.y1.address, 53, bytes(40))
    n.x1.echo(9, n.y1.address)
    for (const p of n.y1.take()) n.y1.error(p, 11, 0, p.frame.length - 14)
    const errors = n.x1.take()
    expect(errors).toHaveLength(3)
    for (const e of errors) {
      const b = e.icmp!.data
      const end = ipv4.end(b, 0)
      expect(ipv4.verifyChecksum(b, 0)).toBe(true)
      const pseudo =
        ipv4.protocol(b, 0) === 1
          ? 0
          : pseudoHeader4(ipv4.src(b, 0), ipv4.dst(b, 0), ipv4.protocol(b, 0), end - 20)
      expect(sum(b, 20, end - 20, pseudo)).toBe(0xffff)
    }
  })

  test('REQ-3d: extensions behind the quoted packet are kept', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    const data = new Uint8Array(128 + 12)
    data.set(out.frame.subarray(14, 14 + 44))
    data.set([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 2, 3], 128)
    put16(data, 130, checksum(data, 128, 12))
    n.y1.icmp(EXTERNAL, { type: 11, code: 0, rest: 32 << 16, data })
    const e = n.x1.one()
    expect(e.icmp!.rest).toBe(32 << 16)
    expect(e.data.subarray(128)).toEqual(data.subarray(128))
  })
})

describe('REQ-4', () => {
  test('REQ-4: from outside, about nothing of ours: dropped', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    const data = out.frame.slice(14, 14 + 28)
    put16(data, 20, 5001)
    n.y1.icmp(EXTERNAL, { type: 3, code: 3, rest: 0, data })
    n.y1.icmp(n.x1.address, { type: 3, code: 3, rest: 0, data })
    expect(n.x1.take().filter((p) => quoted(p).src === n.x1.address)).toEqual([])
  })

  test('REQ-4a, b, c: quotation put back, type and code as they were, addressed to the internal host', () => {
    const n = new NatLab()
    n.x2.udp(5000, n.y1.address, 53)
    n.y1.take()
    n.x1.udp(5000, n.y1.address, 53)
    n.y1.error(n.y1.one(), 3, 4, 28, 1400)
    const e = n.x1.one()
    expect(e).toMatchObject({ src: n.y1.address, dst: n.x1.address })
    expect(e.icmp).toMatchObject({ type: 3, code: 4, rest: 1400 })
    expect(quoted(e)).toEqual({
      src: n.x1.address,
      sport: 5000,
      dst: n.y1.address,
      dport: 53,
      id: 24,
      headerIsRight: true,
    })
  })

  test('REQ-4: about a query', () => {
    const n = new NatLab()
    n.x2.echo(77, n.y1.address)
    n.y1.take()
    n.x1.echo(77, n.y1.address)
    n.y1.error(n.y1.one(), 11, 0)
    expect(quoted(n.x1.one())).toMatchObject({ src: n.x1.address, id: 77, dst: n.y1.address })
  })
})

describe('REQ-5', () => {
  test('REQ-5a, b: an error from inside about what came in', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 5353)
    n.y1.take()
    n.y1.udp(5353, EXTERNAL, 5000)
    n.x1.error(n.x1.one(), 3, 3)
    const e = n.y1.one()
    expect(e).toMatchObject({ src: EXTERNAL, dst: n.y1.address })
    expect(e.icmp).toMatchObject({ type: 3, code: 3 })
    expect(quoted(e)).toMatchObject({
      src: n.y1.address,
      sport: 5353,
      dst: EXTERNAL,
      dport: 5000,
      headerIsRight: true,
    })
  })

  test('REQ-5c: a router inside appears under the external address', () => {
    const n = new NatLab([
      snat(),
      dnat({ protocol: 'udp', ports: { first: 8080, last: 8080 }, to: ip('10.0.0.1'), toPort: 80 }),
    ])
    n.y1.udp(7000, EXTERNAL, 8080)
    n.x2.error(n.x1.one(), 3, 1)
    const e = n.y1.one()
    expect(e.src).toBe(EXTERNAL)
    expect(quoted(e)).toMatchObject({ src: n.y1.address, sport: 7000, dst: EXTERNAL, dport: 8080 })
  })

  test('REQ-5: from inside, about nothing of ours: dropped, so no internal address leaves', () => {
    const n = new NatLab()
    const data = bytes(28)
    data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 100, 1, 10, 0, 0, 1])
    ipv4.fillChecksum(data, 0)
    n.x1.icmp(n.y1.address, { type: 3, code: 3, rest: 0, data })
    expect(n.y1.take()).toEqual([])
    expect(n.drops()['nat-no-mapping']).toBe(1)
  })
})

test('REQ-6: an error does not refresh or end the session it is about', () => {
  const n = new NatLab()
  n.x1.echo(77, n.y1.address)
  const out = n.y1.one()
  n.advance(30_000)
  const before = n.connections()
  n.y1.error(out, 3, 1)
  expect(n.x1.take()).toHaveLength(1)
  expect(n.connections()).toEqual(before)
  n.advance(30_200)
  expect(n.connections()).toEqual([])
})

test('REQ-7: errors about hairpinned packets are hairpinned', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  n.x2.udp(6000, n.y1.address, 53)
  n.y1.take()
  n.x1.udp(5000, EXTERNAL, 6000)
  n.x2.error(n.x2.one(), 3, 3)
  const e = n.x1.one()
  expect(e).toMatchObject({ src: EXTERNAL, dst: n.x1.address })
  expect(quoted(e)).toMatchObject({
    src: n.x1.address,
    sport: 5000,
    dst: EXTERNAL,
    dport: 6000,
    headerIsRight: true,
  })
})

describe('REQ-8', () => {
  test('REQ-8: no port left: communication administratively prohibited, once per datagram', () => {
    const n = new NatLab([snat({ ports: { first: 2000, last: 2000 } })])
    n.x1.udp(5000, n.y1.address, 53)
    n.x2.udp(6000, n.y1.address, 53)
    const e = n.x2.one()
    expect(e.icmp).toMatchObject({ type: 3, code: 13 })
    expect(quoted(e)).toMatchObject({ src: n.x2.address, sport: 6000, dst: n.y1.address, dport: 53 })
  })

  test('REQ-8: no room for the connection: likewise, and the old ones go on', () => {
    const n = new NatLab([snat()], { maxConnections: 2 })
    for (const port of [5000, 5001]) {
      n.x1.udp(port, n.y1.address, 53)
      const out = n.y1.one()
      n.y1.udp(53, out.src, out.sport)
    }
    expect(n.x1.take()).toHaveLength(2)
    n.x2.udp(6000, n.y1.address, 53)
    expect(n.x2.one().icmp).toMatchObject({ type: 3, code: 13 })
    expect(n.drops()['nat-table-full']).toBe(1)
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.take()).toHaveLength(1)
  })
})

test('REQ-10: errors of all kinds traverse: unreachable, source quench, time exceeded, parameter problem', () => {
  const n = new NatLab()
  n.x1.udp(5000, n.y1.address, 53)
  const out = n.y1.one()
  const kinds = [
    [3, 0],
    [3, 1],
    [3, 2],
    [3, 3],
    [3, 4],
    [3, 13],
    [4, 0],
    [11, 0],
    [11, 1],
    [12, 0],
  ]
  for (const [type, code] of kinds) n.y1.error(out, type, code)
  expect(n.x1.take().map((p) => [p.icmp!.type, p.icmp!.code])).toEqual(kinds)
})

test('REQ-11: other ICMP messages do not pass from an address that is hidden', () => {
  const n = new NatLab()
  n.x1.icmp(n.y1.address, { type: 10, code: 0, rest: 0, data: bytes(8) })
  n.x1.icmp(n.y1.address, { type: 40, code: 0, rest: 0, data: bytes(8) })
  expect(n.y1.take()).toEqual([])
  expect(n.drops()['nat-no-mapping']).toBe(2)
})
