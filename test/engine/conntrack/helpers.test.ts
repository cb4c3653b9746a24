/** FTP and TFTP through ct(nat), byte by byte, and through a router's NAT. */
import { describe, expect, it, test } from 'vitest'
import { GSO_TCPV4, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { CONVERSATIONS } from '../../support/ct-conversations.ts'
import {
  ACK,
  FIN,
  isSound,
  PSH_ACK,
  SYN,
  type Talk,
  tcp,
  udp,
  unreachable,
} from '../../support/ct-packets.ts'
import { fromHex } from '../../support/frames.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'
import { dnat, EXTERNAL, NatLab, snat } from './nat-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const X = '100.200.100.200'
const FLOWS = [
  `table=0,priority=6,in_port=1,tcp,actions=ct(commit,zone=7,alg=ftp,nat(src=${X}),table=1)`,
  'table=0,priority=5,in_port=2,ct_state=-trk,ip,actions=ct(zone=7,nat,table=1)',
  'table=1,in_port=1,actions=output:2',
  'table=1,in_port=2,ct_state=+est,actions=output:1',
  'table=1,in_port=2,ct_state=+new+rel,ip,actions=ct(commit,zone=7,nat),output:1',
  'table=1,in_port=2,ct_state=+rel-new,actions=output:1',
]

/** A control connection whose client is 10.0.0.1 port 2000, translated to X, through ct(). */
class Control {
  readonly made = new OpenflowLab(PORTS)

  constructor() {
    this.made.flows(FLOWS)
    this.client({ flags: SYN, seq: 999 })
    this.server({ flags: SYN | ACK, seq: 4999, ack: 1000 })
    this.client({ seq: 1000, ack: 5000 })
  }

  client(segment: Partial<Talk>): Seen | undefined {
    return this.#one(1, tcp({ from: ['10.0.0.1', 2000], to: ['10.0.0.2', 21], ...segment }))
  }

  server(segment: Partial<Talk>): Seen | undefined {
    return this.#one(2, tcp({ from: ['10.0.0.2', 21], to: [X, 2000], ...segment }))
  }

  #one(port: number, frame: Uint8Array): Seen | undefined {
    const [out] = this.made.send(port, frame)
    return out === undefined ? undefined : seen(fromHex(out.slice(3)))
  }
}

interface Seen {
  readonly seq: number
  readonly ack: number
  readonly data: string
  readonly options: number[]
}

function seen(frame: Uint8Array): Seen {
  expect(isSound(frame)).toBe(true)
  const view = new DataView(frame.buffer, frame.byteOffset)
  const header = (frame[46] >>> 4) << 2
  return {
    seq: view.getUint32(38),
    ack: view.getUint32(42),
    data: Buffer.from(frame.subarray(34 + header)).toString('latin1'),
    options: [...frame.subarray(54, 34 + header)],
  }
}

const PORT = 'PORT 10,0,0,1,15,161\r\n'
const TRANSLATED = 'PORT 100,200,100,200,15,161\r\n'
const GROWTH = TRANSLATED.length - PORT.length

describe('the payload of FTP follows NAT', () => {
  test('and everything behind it is numbered anew, for both ends', () => {
    const c = new Control()
    expect(c.client({ flags: PSH_ACK, seq: 1000, ack: 5000, data: PORT })).toMatchObject({
      seq: 1000,
      data: TRANSLATED,
    })
    const after = 1000 + PORT.length
    // A retransmission is the same, also with more behind it.
    const more = c.client({ flags: PSH_ACK, seq: 1000, ack: 5000, data: `${PORT}NOOP\r\n` })
    expect(more).toMatchObject({ seq: 1000, data: `${TRANSLATED}NOOP\r\n` })
    expect(c.server({ seq: 5000, ack: 1000 + TRANSLATED.length })).toMatchObject({ seq: 5000, ack: after })
    // Half an address acknowledged is none.
    expect(c.server({ seq: 5000, ack: 1000 + 10 })?.ack).toBe(1005)
    expect(c.client({ seq: after + 6, ack: 5000, data: 'LIST\r\n' })).toMatchObject({
      seq: after + 6 + GROWTH,
    })
    const sack = [1, 1, 5, 10, ...word(after + GROWTH + 6), ...word(after + GROWTH + 12)]
    const selective = c.server({ seq: 5000, ack: after + GROWTH, options: sack })
    expect(selective).toMatchObject({
      ack: after,
      options: [1, 1, 5, 10, ...word(after + 6), ...word(after + 12)],
    })
  })

  test('again for a second transfer', () => {
    const c = new Control()
    c.client({ flags: PSH_ACK, seq: 1000, ack: 5000, data: PORT })
    const second = c.client({ flags: PSH_ACK, seq: 1000 + PORT.length, ack: 5000, data: PORT })
    expect(second).toMatchObject({ seq: 1000 + TRANSLATED.length, data: TRANSLATED })
    const end = 1000 + 2 * PORT.length
    expect(c.server({ seq: 5000, ack: end + 2 * GROWTH })?.ack).toBe(end)
    expect(c.client({ flags: FIN | ACK, seq: end, ack: 5000 })?.seq).toBe(end + 2 * GROWTH)
  })

  it.each([2, 5])('when it comes in two segments, the first of %i bytes', (n) => {
    const c = new Control()
    expect(c.client({ seq: 1000, ack: 5000, data: PORT.slice(0, n) })?.data).toBe(PORT.slice(0, n))
    const rest = c.client({ seq: 1000 + n, ack: 5000, data: PORT.slice(n) })
    expect(rest).toMatchObject({ seq: 1000 + n, data: TRANSLATED.slice(n) })
    expect(c.client({ seq: 1000 + PORT.length, ack: 5000, data: 'LIST\r\n' })?.seq).toBe(
      1000 + TRANSLATED.length,
    )
  })

  test('a segment that ends within an address waits for the rest', () => {
    const c = new Control()
    expect(c.client({ seq: 1000, ack: 5000, data: 'NOOP\r\nPORT 10,0' })).toBeUndefined()
    const rest = c.client({ seq: 1015, ack: 5000, data: PORT.slice(9) })
    expect(rest).toMatchObject({ seq: 1000, data: `NOOP\r\n${TRANSLATED}` })
  })

  test('but not for ever: sent again it passes as it is', () => {
    const c = new Control()
    expect(c.client({ seq: 1000, ack: 5000, data: PORT.slice(0, 9) })).toBeUndefined()
    expect(c.client({ seq: 1000, ack: 5000, data: PORT.slice(0, 9) })?.data).toBe(PORT.slice(0, 9))
    expect(c.client({ seq: 1009, ack: 5000, data: PORT.slice(9) })?.data).toBe(PORT.slice(9))
  })

  test('a damaged segment is left to its receiver', () => {
    const c = new Control()
    const frame = tcp({
      from: ['10.0.0.1', 2000],
      to: ['10.0.0.2', 21],
      flags: PSH_ACK,
      seq: 1000,
      data: PORT,
    })
    frame[51] ^= 1
    const out = fromHex(c.made.send(1, frame)[0].slice(3))
    expect(isSound(out)).toBe(false)
    expect(Buffer.from(out).toString('latin1')).toContain(PORT)
  })

  test('long lines and other commands pass as they are', () => {
    const c = new Control()
    const long = `PORT ${'9'.repeat(400)}\r\n`
    expect(c.client({ seq: 1000, ack: 5000, data: long })?.data).toBe(long)
    expect(c.client({ seq: 1000 + long.length, ack: 5000, data: PORT })?.data).toBe(TRANSLATED)
  })
})

function word(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff]
}

test('the data connection of a translated client comes back to it', () => {
  const c = new Control()
  const syn = tcp({ from: ['10.0.0.2', 20], to: [X, 4001], flags: SYN })
  expect(c.made.send(2, syn)).toEqual([])
  c.client({ flags: PSH_ACK, seq: 1000, ack: 5000, data: PORT })
  const [out] = c.made.send(2, syn)
  expect(out?.slice(0, 2)).toBe('p1')
  expect(seen(fromHex(out.slice(3)))).toBeDefined()
  expect([...fromHex(out.slice(3)).subarray(30, 38)]).toEqual([10, 0, 0, 1, 0, 20, 15, 161])
  // What was expected has come; another connection to that port is none of it.
  expect(c.made.send(2, tcp({ from: ['10.0.0.2', 30], to: [X, 4001], flags: SYN }))).toEqual([])
})

test('in a frame that stands for several, its checksum left to the card, the address is replaced, too', () => {
  const c = new Control()
  const talk = { flags: PSH_ACK, seq: 1000, ack: 5000, data: PORT + 'NOOP\r\n'.repeat(300) }
  const frame = tcp({ from: ['10.0.0.1', 2000], to: ['10.0.0.2', 21], ...talk })
  const pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6 + frame.length - 34
  frame.set([pseudo >>> 8, pseudo & 0xff], 50)
  const offload = { flags: VNET_NEEDS_CSUM, gsoType: GSO_TCPV4, gsoSize: 1000, csumStart: 34, csumOffset: 16 }
  c.made.lab.device('p1').inject(frame, offload)
  const segments = c.made.lab.step().map((s) => seen(s.frame))
  expect(segments.map((s) => s.seq)).toEqual([1000, 2000])
  expect(segments.map((s) => s.data).join('')).toBe(TRANSLATED + 'NOOP\r\n'.repeat(300))
})

test('expectations end after five minutes and with their master', () => {
  const c = new Control()
  const syn = (port: number) => tcp({ from: ['10.0.0.2', 20], to: [X, port], flags: SYN })
  c.client({ flags: PSH_ACK, seq: 1000, ack: 5000, data: PORT })
  c.made.lab.pass(301)
  expect(c.made.send(2, syn(4001))).toEqual([])
  c.client({ flags: PSH_ACK, seq: 1000 + PORT.length, ack: 5000, data: 'PORT 10,0,0,1,15,162\r\n' })
  const { expectations } = c.made.lab.local.datapath.routers.conntrack.helpers
  expect(expectations.count).toBeGreaterThan(0)
  c.made.lab.commands.ctFlush(7)
  expect(expectations.count).toBe(0)
  expect(c.made.send(2, syn(4002))).toEqual([])
})

test('a client that announces without end has eight expectations', () => {
  const c = new Control()
  let seq = 1000
  for (let i = 0; i < 40; i++) {
    const data = `PORT 10,0,0,1,16,${i + 1}\r\n`
    c.client({ flags: PSH_ACK, seq, ack: 5000, data })
    seq += data.length
  }
  expect(c.made.lab.local.datapath.routers.conntrack.helpers.expectations.count).toBe(8)
  // Numbers still fit, although not every change is remembered any more.
  const last = c.client({ seq, ack: 5000, data: 'NOOP\r\n' })!
  expect(c.server({ seq: 5000, ack: last.seq + 6 })?.ack).toBe(seq + 6)
})

test('what ICMPv6 quotes of TCP is translated with its checksum', () => {
  const [c6, s6, x6] = ['2001:db8::1', '2001:db8::2', '2001:db8::99']
  const made = new OpenflowLab(PORTS)
  made.flows([
    `in_port=1,ipv6,actions=ct(commit,zone=7,nat(src=[${x6}])),output:2`,
    'in_port=2,ipv6,ct_state=-trk,actions=ct(zone=7,nat,table=1)',
    'table=1,ct_state=+rel+rpl-est-new-inv,actions=output:1',
  ])
  const [out] = made.send(1, tcp({ from: [c6, 2000], to: [s6, 80], flags: SYN }))
  const [back] = made.send(2, unreachable(s6, x6, fromHex(out.slice(3))))
  const error = fromHex(back.slice(3))
  expect(isSound(error)).toBe(true)
  expect(error.subarray(62)).toEqual(tcp({ from: [c6, 2000], to: [s6, 80], flags: SYN }).subarray(14))
})

describe('no packet is lost in', () => {
  it.each(CONVERSATIONS)('$name', ({ flows, packets, leave }) => {
    const made = new OpenflowLab(PORTS)
    made.flows(flows)
    const left = packets.reduce((n, [port, frame]) => n + made.send(port, frame).length, 0)
    expect(left).toBe(leave)
    expect(made.lab.local.datapath.pool.available).toBe(made.lab.local.datapath.pool.cells)
  })
})

describe('a router', () => {
  const text = (data: Uint8Array) => Buffer.from(data).toString('latin1')
  const bytes = (data: string) => Uint8Array.from(Buffer.from(data, 'latin1'))

  test('lets the data connection of an active client in, at a port that is nobody’s', () => {
    const n = new NatLab([snat()])
    // Somebody inside has the external port 4001 already.
    n.x2.udp(4001, n.y1.address, 9)
    n.y1.take()
    n.x2.tcp(4001, n.y1.address, 80, { flags: SYN })
    n.y1.take()
    n.x1.tcp(2000, n.y1.address, 21, { flags: SYN, seq: 999 })
    const syn = n.y1.one()
    n.y1.tcp(21, EXTERNAL, syn.sport, { flags: SYN | ACK, seq: 4999, ack: 1000 })
    n.x1.one()
    n.x1.tcp(2000, n.y1.address, 21, { flags: PSH_ACK, seq: 1000, ack: 5000, data: bytes(PORT) })
    expect(text(n.y1.one().data)).toBe('PORT 192,168,100,11,15,162\r\n')
    n.y1.tcp(20, EXTERNAL, 4002, { flags: SYN })
    const data = n.x1.one()
    expect([data.src, data.sport, data.dport]).toEqual([n.y1.address, 20, 4001])
    n.x1.tcp(4001, n.y1.address, 20, { flags: SYN | ACK, seq: 1, ack: 1 })
    const answer = n.y1.one()
    expect([answer.src, answer.sport]).toEqual([EXTERNAL, 4002])
  })

  test('announces a server behind a forwarding as its clients know it', () => {
    const n = new NatLab([dnat({ protocol: 'tcp', ports: { first: 21, last: 21 }, to: 0x0a000001 })])
    n.y1.tcp(2000, EXTERNAL, 21, { flags: SYN, seq: 999 })
    n.x1.one()
    n.x1.tcp(21, n.y1.address, 2000, { flags: SYN | ACK, seq: 4999, ack: 1000 })
    n.y1.one()
    const reply = '227 Entering Passive Mode (10,0,0,1,15,161)\r\n'
    n.x1.tcp(21, n.y1.address, 2000, { flags: PSH_ACK, seq: 5000, ack: 1000, data: bytes(reply) })
    expect(text(n.y1.one().data)).toBe('227 Entering Passive Mode (192,168,100,11,15,161)\r\n')
    n.y1.tcp(3000, EXTERNAL, 4001, { flags: SYN })
    expect(n.x1.one().dport).toBe(4001)
    // And its active data connections leave under the address that the client knows.
    n.y1.tcp(2000, EXTERNAL, 21, {
      flags: PSH_ACK,
      seq: 1000,
      ack: 5000,
      data: bytes('PORT 192,168,100,1,15,163\r\n'),
    })
    n.x1.one()
    n.x1.tcp(20, n.y1.address, 4003, { flags: SYN })
    const active = n.y1.one()
    expect([active.src, active.sport]).toEqual([EXTERNAL, 20])
  })

  test('lets in what a TFTP server sends from a port of its own, unless it has no helper', () => {
    for (const helpers of [['tftp'], []] as ('ftp' | 'tftp')[][]) {
      const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })], { helpers })
      n.x1.udp(2000, n.y1.address, 69, bytes('\0\x01file\0octet\0'))
      const request = n.y1.one()
      n.y1.udp(4000, EXTERNAL, request.sport, bytes('\0\x03\0\x01data'))
      expect(n.x1.take().length).toBe(helpers.length)
    }
  })
})

test('a TFTP payload that is no request announces nothing', () => {
  const made = new OpenflowLab(PORTS)
  made.flows(['in_port=1,udp,actions=ct(commit,zone=7,alg=tftp),output:2'])
  made.send(1, udp({ from: ['10.0.0.1', 2000], to: ['10.0.0.2', 69], data: '\0\x04\0\x01' }))
  expect(made.lab.local.datapath.routers.conntrack.helpers.expectations.count).toBe(0)
})
