/**
 * Conversations through ct(): flows, and packets in the order they come in by port 1 (the client's), 2 (the
 * server's) or 3. What leaves by which port tells what ct_state, marks and addresses were.
 */
import { ACK, datagram, echo, fragments, PSH_ACK, RST, SYN, tcp, udp, unreachable } from './ct-packets.ts'

export interface Conversation {
  readonly name: string
  readonly flows: readonly string[]
  readonly packets: readonly (readonly [port: number, frame: Uint8Array])[]
  /** Frames that leave in all. */
  readonly leave: number
}

const C = '10.0.0.1'
const S = '10.0.0.2'
const X = '10.9.9.9'
const C6 = '2001:db8::1'
const S6 = '2001:db8::2'
const X6 = '2001:db8::99'

type Addresses = { readonly c: string; readonly s: string; readonly x: string }
const V4: Addresses = { c: C, s: S, x: X }
const V6: Addresses = { c: C6, s: S6, x: X6 }

/** Every state leaves by a port of its own, marked by its own Ethernet source. */
const states = (table: number): string[] =>
  ['new', 'est', 'rel', 'inv', 'rpl', 'snat', 'dnat']
    .map(
      (flag, i) =>
        `table=${table + i},priority=9,ct_state=+${flag},actions=load:1->NXM_OF_ETH_SRC[${i}],resubmit(,${table + i + 1})`,
    )
    .concat(
      ['new', 'est', 'rel', 'inv', 'rpl', 'snat', 'dnat'].map(
        (_, i) =>
          `table=${table + i},priority=1,actions=load:0->NXM_OF_ETH_SRC[${i}],resubmit(,${table + i + 1})`,
      ),
      `table=${table + 7},actions=move:NXM_NX_CT_MARK[0..7]->NXM_OF_ETH_SRC[8..15],output:4`,
    )

const through = (version: 'ip' | 'ipv6', ...ofClient: string[]): string[] => [
  `table=0,priority=5,in_port=1,${version},actions=${ofClient.join(',')}`,
  `table=0,priority=4,${version},actions=ct(table=10,zone=7,nat)`,
  ...states(10),
]

/** Opens a TCP connection from `c` port 2000 to `s`, as port 1 and 2 see it. */
function opening({ c, s }: Addresses, port: number, outside = c): [number, Uint8Array][] {
  return [
    [1, tcp({ from: [c, 2000], to: [s, port], flags: SYN, seq: 1000 })],
    [2, tcp({ from: [s, port], to: [outside, 2000], flags: SYN | ACK, seq: 5000, ack: 1001 })],
    [1, tcp({ from: [c, 2000], to: [s, port], seq: 1001, ack: 5001 })],
  ]
}

const active = (
  a: Addresses,
  version: 'ip' | 'ipv6',
  command: string,
  nat: string,
  outside: string,
): Conversation => ({
  name: `FTP, active, ${version}${nat && ', translated'}`,
  flows: [
    `table=0,priority=6,in_port=1,${version === 'ip' ? 'tcp' : 'tcp6'},actions=ct(commit,table=10,zone=7,alg=ftp${nat},exec(load:5->NXM_NX_CT_MARK[]))`,
    `table=0,priority=5,in_port=3,${version},actions=ct(commit,table=10,zone=7${nat && ',nat'})`,
    `table=0,priority=4,${version},actions=ct(table=10,zone=7${nat && ',nat'})`,
    ...states(10),
  ],
  packets: [
    ...opening(a, 21, outside),
    [1, tcp({ from: [a.c, 2000], to: [a.s, 21], flags: PSH_ACK, seq: 1001, ack: 5001, data: command })],
    // The data connection, first seen without being committed.
    [2, tcp({ from: [a.s, 20], to: [outside, 0x0fa1], flags: SYN, seq: 1 })],
    [3, tcp({ from: [a.s, 20], to: [outside, 0x0fa1], flags: SYN, seq: 1 })],
    [1, tcp({ from: [a.c, 0x0fa1], to: [a.s, 20], flags: SYN | ACK, seq: 9, ack: 2 })],
    [2, tcp({ from: [a.s, 20], to: [outside, 0x0fa1], seq: 2, ack: 10 })],
    [2, tcp({ from: [a.s, 30], to: [outside, 0x0fa2], flags: SYN, seq: 1 })],
  ],
  leave: 9,
})

const PORT = 'PORT 10,0,0,1,15,161\r\n'
const EPRT = 'EPRT |2|2001:db8::1|4001|\r\n'
const PASV = '227 Entering Passive Mode (10,0,0,2,15,161)\r\n'
const EPSV = '229 Entering Extended Passive Mode (|||4001|)\r\n'

const passive = (a: Addresses, version: 'ip' | 'ipv6', reply: string): Conversation => ({
  name: `FTP, passive, ${version}`,
  flows: [
    `table=0,priority=6,in_port=1,${version === 'ip' ? 'tcp' : 'tcp6'},tp_dst=21,actions=ct(commit,table=10,zone=7,alg=ftp)`,
    `table=0,priority=5,in_port=3,${version},actions=ct(commit,table=10,zone=7)`,
    `table=0,priority=4,${version},actions=ct(table=10,zone=7)`,
    ...states(10),
  ],
  packets: [
    ...opening(a, 21),
    [2, tcp({ from: [a.s, 21], to: [a.c, 2000], flags: PSH_ACK, seq: 5001, ack: 1001, data: reply })],
    [1, tcp({ from: [a.c, 3000], to: [a.s, 4001], flags: SYN })],
    [3, tcp({ from: [a.c, 3000], to: [a.s, 4001], flags: SYN })],
    [2, tcp({ from: [a.s, 4001], to: [a.c, 3000], flags: SYN | ACK, seq: 3, ack: 2 })],
    [1, tcp({ from: [a.c, 3001], to: [a.s, 4002], flags: SYN })],
  ],
  leave: 8,
})

const aboutTcp = (a: Addresses): [number, Uint8Array][] => [
  [1, tcp({ from: [a.c, 2000], to: [a.s, 80], flags: SYN })],
  [2, unreachable(a.s, a.x, tcp({ from: [a.x, 2000], to: [a.s, 80], flags: SYN }))],
]

const errors = (a: Addresses, version: 'ip' | 'ipv6'): Conversation => ({
  name: `ICMP errors about translated connections, ${version}`,
  flows: through(version, `ct(commit,table=10,zone=7,nat(src=${version === 'ip' ? a.x : `[${a.x}]`}))`),
  packets: [
    [1, udp({ from: [a.c, 2000], to: [a.s, 53], data: 'question' })],
    [2, unreachable(a.s, a.x, udp({ from: [a.x, 2000], to: [a.s, 53], data: 'question' }))],
    [2, unreachable(a.s, a.x, udp({ from: [a.x, 2001], to: [a.s, 53], data: 'question' }))],
    // In what ICMPv6 quotes of TCP the real one leaves the checksum alone.
    ...(version === 'ip' ? aboutTcp(a) : []),
    [2, udp({ from: [a.s, 53], to: [a.x, 2000], data: 'answer' })],
    [1, unreachable(a.c, a.s, udp({ from: [a.s, 53], to: [a.c, 2000], data: 'answer' }))],
  ],
  leave: version === 'ip' ? 7 : 5,
})

const big = 'x'.repeat(3000)
const pieces = (frame: Uint8Array, order: readonly number[], port: number): [number, Uint8Array][] => {
  const all = fragments(frame, 1304)
  return order.map((i) => [port, all[i]])
}

const fragmented = (a: Addresses, version: 'ip' | 'ipv6'): Conversation => ({
  name: `fragments, ${version}`,
  flows: through(version, `ct(commit,table=10,zone=7,nat(src=${version === 'ip' ? a.x : `[${a.x}]`}))`),
  packets: [
    ...pieces(udp({ from: [a.c, 2000], to: [a.s, 53], data: big }), [0, 1, 2], 1),
    ...pieces(udp({ from: [a.s, 53], to: [a.x, 2000], data: big }), [2, 0, 1], 2),
    ...pieces(udp({ from: [a.c, 2000], to: [a.s, 53], data: big }), [1, 2, 0], 1),
  ],
  leave: 9,
})

export const CONVERSATIONS: readonly Conversation[] = [
  active(V4, 'ip', PORT, '', C),
  active(V6, 'ipv6', EPRT, '', C6),
  // Commands of a client that knows its translation: no room is left in the real one's frames for another.
  active(V4, 'ip', 'PORT 10,9,9,9,15,161\r\n', `,nat(src=${X})`, X),
  active(V6, 'ipv6', 'EPRT |2|2001:db8::99|4001|\r\n', `,nat(src=[${X6}])`, X6),
  passive(V4, 'ip', PASV),
  passive(V6, 'ipv6', EPSV),
  {
    name: 'FTP: an address that is not the sender’s is invalid',
    flows: active(V4, 'ip', PORT, '', C).flows,
    packets: [
      ...opening(V4, 21),
      [
        1,
        tcp({
          from: [C, 2000],
          to: [S, 21],
          flags: PSH_ACK,
          seq: 1001,
          ack: 5001,
          data: 'PORT 10,0,0,7,15,161\r\n',
        }),
      ],
      [2, tcp({ from: [S, 20], to: ['10.0.0.7', 4001], flags: SYN })],
    ],
    leave: 5,
  },
  {
    name: 'TFTP, translated',
    flows: [
      `table=0,priority=6,in_port=1,udp,actions=ct(commit,table=10,zone=7,alg=tftp,nat(src=${X}))`,
      'table=0,priority=5,in_port=3,ip,actions=ct(commit,table=10,zone=7,nat)',
      'table=0,priority=4,ip,actions=ct(table=10,zone=7,nat)',
      ...states(10),
    ],
    packets: [
      [1, udp({ from: [C, 2000], to: [S, 69], data: '\0\x01file\0octet\0' })],
      [2, udp({ from: [S, 4000], to: [X, 2000], data: '\0\x03\0\x01data' })],
      [3, udp({ from: [S, 4000], to: [X, 2000], data: '\0\x03\0\x01data' })],
      [2, udp({ from: [S, 4001], to: [X, 2001], data: '\0\x03\0\x01data' })],
    ],
    leave: 4,
  },
  errors(V4, 'ip'),
  errors(V6, 'ipv6'),
  fragmented(V4, 'ip'),
  fragmented(V6, 'ipv6'),
  {
    name: 'a connection is new until it is answered',
    flows: [
      'table=0,priority=5,in_port=1,ip,actions=ct(commit,table=10,zone=7)',
      'table=0,priority=4,ip,actions=ct(table=10,zone=7)',
      ...states(10),
    ],
    packets: [
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [2, udp({ from: [S, 53], to: [C, 2000] })],
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [1, echo({ from: [C, 7], to: [S, 0] })],
      [1, echo({ from: [C, 7], to: [S, 0] })],
      [2, echo({ from: [S, 7], to: [C, 0] }, true)],
      [1, echo({ from: [C, 7], to: [S, 0] })],
      [2, echo({ from: [S, 8], to: [C, 0] }, true)],
      [1, tcp({ from: [C, 2000], to: [S, 80], flags: SYN, seq: 1000 })],
      [1, tcp({ from: [C, 2000], to: [S, 80], flags: SYN, seq: 1000 })],
      [2, tcp({ from: [S, 80], to: [C, 2000], flags: SYN | ACK, seq: 5000, ack: 1001 })],
      [1, tcp({ from: [C, 2000], to: [S, 80], seq: 1001, ack: 5001 })],
      [2, tcp({ from: [S, 80], to: [C, 2000], flags: RST | ACK, seq: 5001, ack: 1001 })],
      [1, tcp({ from: [C, 3000], to: [S, 80], flags: SYN | ACK })],
      [1, datagram(C, S, 47, new Uint8Array(8))],
      [1, datagram(C, S, 47, new Uint8Array(8))],
      [2, datagram(S, C, 47, new Uint8Array(8))],
    ],
    leave: 19,
  },
  {
    name: 'ct() again, in the same zone and in another',
    flows: [
      `table=0,priority=5,in_port=1,ip,actions=ct(commit,table=1,zone=7,nat(src=${X}))`,
      'table=0,priority=4,ip,actions=ct(table=1,zone=7,nat)',
      'table=1,priority=1,udp,actions=ct(table=10,zone=7)',
      'table=1,priority=1,tcp,actions=ct(commit,table=10,zone=8)',
      ...states(10),
    ],
    packets: [
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [2, udp({ from: [S, 53], to: [X, 2000] })],
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [1, tcp({ from: [C, 2000], to: [S, 80], flags: SYN, seq: 1000 })],
      [2, tcp({ from: [S, 80], to: [X, 2000], flags: SYN | ACK, seq: 5000, ack: 1001 })],
    ],
    leave: 5,
  },
  {
    name: 'ct(force) makes the answering side the first',
    flows: [
      'table=0,priority=5,in_port=1,ip,actions=ct(commit,table=10,zone=7)',
      'table=0,priority=5,in_port=3,ip,actions=ct(commit,force,table=10,zone=7)',
      'table=0,priority=4,ip,actions=ct(table=10,zone=7)',
      ...states(10),
    ],
    packets: [
      [1, udp({ from: [C, 2000], to: [S, 53] })],
      [2, udp({ from: [S, 53], to: [C, 2000] })],
      [3, udp({ from: [S, 53], to: [C, 2000] })],
      [1, udp({ from: [C, 2000], to: [S, 53] })],
    ],
    leave: 4,
  },
]
