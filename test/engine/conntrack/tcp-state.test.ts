/**
 * The tracker's TCP state machine as a table: from each state, what each segment of either end makes of it.
 * Ends and sequence numbers are those of one conversation: the client's SYN is 1000, the server's 5000.
 */
import { describe, expect, test } from 'vitest'
import { F_ASSURED, R_FLAGS, R_STATE, RECORD_WORDS } from '../../../engine/conntrack/connection-record.ts'
import {
  TCP_STATE_NAMES,
  TRACK_IGNORE,
  TRACK_OK,
  TRACK_REOPEN,
  trackTcp,
} from '../../../engine/conntrack/tcp-state.ts'
import { ACK, FIN, RST, type Segment, SYN } from './nat-lab.ts'

class Conversation {
  readonly record = new Int32Array(RECORD_WORDS)

  /** Shows a segment; direction 0 is the client's. */
  see(dir: number, s: Segment & { options?: number[] }): number {
    const options = s.options ?? []
    const length = 20 + options.length + (s.data?.length ?? 0)
    const b = new Uint8Array(20 + length)
    const dv = new DataView(b.buffer)
    dv.setUint8(0, 0x45)
    dv.setUint16(2, 20 + length)
    dv.setUint32(24, s.seq ?? 0)
    dv.setUint32(28, s.ack ?? 0)
    dv.setUint16(32, ((20 + options.length) << 10) | s.flags)
    dv.setUint16(34, s.window ?? 8192)
    b.set(options, 40)
    return trackTcp(this.record, 0, dir, dv, 0, 20)
  }

  get state(): string {
    return TCP_STATE_NAMES[this.record[R_STATE]]
  }

  get assured(): boolean {
    return (this.record[R_FLAGS] & F_ASSURED) !== 0
  }
}

type Step = readonly [dir: number, segment: Segment]

const clientSyn: Step = [0, { flags: SYN, seq: 1000 }]
const serverSyn: Step = [1, { flags: SYN, seq: 5000 }]
const serverSynAck: Step = [1, { flags: SYN | ACK, seq: 5000, ack: 1001 }]
const clientSynAck: Step = [0, { flags: SYN | ACK, seq: 1000, ack: 5001 }]
const clientAck: Step = [0, { flags: ACK, seq: 1001, ack: 5001 }]
const serverAck: Step = [1, { flags: ACK, seq: 5001, ack: 1001 }]
const clientFin: Step = [0, { flags: FIN | ACK, seq: 1001, ack: 5001 }]
const serverFin: Step = [1, { flags: FIN | ACK, seq: 5001, ack: 1001 }]
const serverFinAcking: Step = [1, { flags: FIN | ACK, seq: 5001, ack: 1002 }]
const clientAckOfFin: Step = [0, { flags: ACK, seq: 1002, ack: 5002 }]
const serverAckOfFin: Step = [1, { flags: ACK, seq: 5002, ack: 1002 }]
const serverAckOfFinOnly: Step = [1, { flags: ACK, seq: 5001, ack: 1002 }]
const clientRst: Step = [0, { flags: RST, seq: 1001 }]
const serverRst: Step = [1, { flags: RST, seq: 5001 }]
const serverRstAck: Step = [1, { flags: RST | ACK, seq: 0, ack: 1001 }]

/** How each state is reached. */
const reached: Record<string, readonly Step[]> = {
  NONE: [],
  SYN_SENT: [clientSyn],
  SYN_SENT2: [clientSyn, serverSyn],
  SYN_RECV: [clientSyn, serverSynAck],
  ESTABLISHED: [clientSyn, serverSynAck, clientAck],
  FIN_WAIT: [clientSyn, serverSynAck, clientAck, clientFin],
  CLOSE_WAIT: [clientSyn, serverSynAck, clientAck, clientFin, serverAckOfFinOnly],
  LAST_ACK: [clientSyn, serverSynAck, clientAck, clientFin, serverFinAcking],
  TIME_WAIT: [clientSyn, serverSynAck, clientAck, clientFin, serverFinAcking, clientAckOfFin],
  CLOSE: [clientSyn, serverSynAck, clientAck, serverRst],
}

/** From, segment, to, and the verdict where it is not TRACK_OK. */
const table: readonly (readonly [string, string, Step, string, number?])[] = [
  ['NONE', 'client SYN', clientSyn, 'SYN_SENT'],
  ['NONE', 'client ACK, picked up', clientAck, 'ESTABLISHED'],
  ['NONE', 'client FIN, picked up', clientFin, 'FIN_WAIT'],
  ['SYN_SENT', 'client SYN again', clientSyn, 'SYN_SENT'],
  ['SYN_SENT', 'server SYN/ACK', serverSynAck, 'SYN_RECV'],
  ['SYN_SENT', 'server SYN', serverSyn, 'SYN_SENT2'],
  [
    'SYN_SENT',
    'server SYN/ACK that acknowledges nothing',
    [1, { flags: SYN | ACK, seq: 5000, ack: 77 }],
    'SYN_SENT',
  ],
  ['SYN_SENT', 'server RST/ACK', serverRstAck, 'CLOSE'],
  [
    'SYN_SENT',
    'server RST/ACK of nothing',
    [1, { flags: RST | ACK, seq: 0, ack: 1 }],
    'SYN_SENT',
    TRACK_IGNORE,
  ],
  ['SYN_SENT', 'server RST without ACK', serverRst, 'SYN_SENT', TRACK_IGNORE],
  ['SYN_SENT', 'client RST', clientRst, 'CLOSE'],
  ['SYN_SENT2', 'client SYN/ACK', clientSynAck, 'SYN_RECV'],
  ['SYN_SENT2', 'server SYN/ACK', serverSynAck, 'SYN_RECV'],
  ['SYN_SENT2', 'client SYN again', clientSyn, 'SYN_SENT2'],
  ['SYN_RECV', 'client ACK', clientAck, 'ESTABLISHED'],
  ['SYN_RECV', 'client ACK of nothing', [0, { flags: ACK, seq: 1001, ack: 4000 }], 'SYN_RECV'],
  ['SYN_RECV', 'client ACK of more than was sent', [0, { flags: ACK, seq: 1001, ack: 5002 }], 'SYN_RECV'],
  ['SYN_RECV', 'client SYN again', clientSyn, 'SYN_RECV'],
  ['SYN_RECV', 'server SYN/ACK again', serverSynAck, 'SYN_RECV'],
  ['SYN_RECV', 'client FIN', clientFin, 'FIN_WAIT'],
  ['SYN_RECV', 'server RST', serverRst, 'CLOSE'],
  ['SYN_RECV', 'client RST', clientRst, 'CLOSE'],
  ['ESTABLISHED', 'client ACK', clientAck, 'ESTABLISHED'],
  ['ESTABLISHED', 'server ACK', serverAck, 'ESTABLISHED'],
  ['ESTABLISHED', 'a stray SYN', [0, { flags: SYN, seq: 99 }], 'ESTABLISHED'],
  ['ESTABLISHED', 'a stray SYN/ACK', [1, { flags: SYN | ACK, seq: 99, ack: 99 }], 'ESTABLISHED'],
  ['ESTABLISHED', 'no flags', [0, { flags: 0, seq: 1001 }], 'ESTABLISHED', TRACK_IGNORE],
  ['ESTABLISHED', 'client FIN', clientFin, 'FIN_WAIT'],
  ['ESTABLISHED', 'server FIN', serverFin, 'FIN_WAIT'],
  [
    'ESTABLISHED',
    'a FIN beyond the window',
    [0, { flags: FIN | ACK, seq: 20_000, ack: 5001 }],
    'ESTABLISHED',
  ],
  ['ESTABLISHED', 'a FIN from the past', [0, { flags: FIN | ACK, seq: 1, ack: 5001 }], 'ESTABLISHED'],
  ['ESTABLISHED', 'client RST', clientRst, 'CLOSE'],
  ['ESTABLISHED', 'server RST', serverRst, 'CLOSE'],
  ['ESTABLISHED', 'RST before the window', [1, { flags: RST, seq: 5000 }], 'ESTABLISHED', TRACK_IGNORE],
  ['ESTABLISHED', 'RST at its end', [1, { flags: RST, seq: 13_193 }], 'CLOSE'],
  ['ESTABLISHED', 'RST beyond it', [1, { flags: RST, seq: 13_194 }], 'ESTABLISHED', TRACK_IGNORE],
  ['FIN_WAIT', 'client FIN again', clientFin, 'FIN_WAIT'],
  ['FIN_WAIT', 'server ACK of data only', serverAck, 'FIN_WAIT'],
  ['FIN_WAIT', 'server ACK of the FIN', serverAckOfFinOnly, 'CLOSE_WAIT'],
  ['FIN_WAIT', 'server FIN that acknowledges', serverFinAcking, 'LAST_ACK'],
  ['FIN_WAIT', 'server FIN, crossing', serverFin, 'LAST_ACK'],
  ['FIN_WAIT', 'server RST', serverRst, 'CLOSE'],
  [
    'CLOSE_WAIT',
    'server data',
    [1, { flags: ACK, seq: 5001, ack: 1002, data: new Uint8Array(9) }],
    'CLOSE_WAIT',
  ],
  ['CLOSE_WAIT', 'client ACK', [0, { flags: ACK, seq: 1002, ack: 5001 }], 'CLOSE_WAIT'],
  ['CLOSE_WAIT', 'server FIN', serverFinAcking, 'LAST_ACK'],
  ['LAST_ACK', 'server FIN again', serverFinAcking, 'LAST_ACK'],
  ['LAST_ACK', 'client ACK of the FIN', clientAckOfFin, 'TIME_WAIT'],
  ['LAST_ACK', 'a SYN', clientSyn, 'LAST_ACK'],
  ['TIME_WAIT', 'server FIN again', serverFinAcking, 'TIME_WAIT'],
  ['TIME_WAIT', 'client ACK again', clientAckOfFin, 'TIME_WAIT'],
  ['TIME_WAIT', 'client SYN', [0, { flags: SYN, seq: 90_000 }], 'TIME_WAIT', TRACK_REOPEN],
  ['TIME_WAIT', 'server SYN', [1, { flags: SYN, seq: 90_000 }], 'TIME_WAIT', TRACK_REOPEN],
  ['CLOSE', 'client SYN', clientSyn, 'CLOSE', TRACK_REOPEN],
  ['CLOSE', 'client ACK', clientAck, 'CLOSE'],
  ['CLOSE', 'RST again', serverRst, 'CLOSE', TRACK_IGNORE],
]

describe('from', () => {
  for (const [from, what, [dir, segment], to, verdict] of table) {
    test(`${from}, ${what}: ${to}`, () => {
      const c = new Conversation()
      for (const [d, s] of reached[from]) c.see(d, s)
      expect(c.state).toBe(from)
      expect(c.see(dir, segment)).toBe(verdict ?? TRACK_OK)
      expect(c.state).toBe(to)
    })
  }
})

test('every state but NONE is in the table as a start and as an end', () => {
  for (const name of TCP_STATE_NAMES) {
    expect(table.some(([from]) => from === name)).toBe(true)
    if (name !== 'NONE') expect(table.some(([, , , to]) => to === name)).toBe(true)
  }
})

test('simultaneous open and simultaneous close (RFC 9293 figures 8 and 14)', () => {
  const c = new Conversation()
  const states = [
    clientSyn,
    serverSyn,
    clientSynAck,
    serverSynAck,
    clientFin,
    serverFin,
    clientAckOfFin,
    serverAckOfFin,
  ].map(([dir, s]) => {
    c.see(dir, s)
    return c.state
  })
  expect(states).toEqual([
    'SYN_SENT',
    'SYN_SENT2',
    'SYN_RECV',
    'ESTABLISHED',
    'FIN_WAIT',
    'LAST_ACK',
    'LAST_ACK',
    'TIME_WAIT',
  ])
})

test('assured once both ends have acknowledged, not before', () => {
  const c = new Conversation()
  const assured = [clientSyn, serverSynAck, clientAck].map(([dir, s]) => {
    c.see(dir, s)
    return c.assured
  })
  expect(assured).toEqual([false, false, true])
  const picked = new Conversation()
  picked.see(...clientAck)
  expect(picked.assured).toBe(false)
  picked.see(...serverAck)
  expect(picked.assured).toBe(true)
})

test('the window scale of both SYNs widens the window a RST must lie in', () => {
  const scale = (n: number) => [3, 3, n, 0]
  const c = new Conversation()
  c.see(0, { flags: SYN, seq: 1000, options: scale(2) })
  c.see(1, { flags: SYN | ACK, seq: 5000, ack: 1001, options: scale(7) })
  c.see(0, { flags: ACK, seq: 1001, ack: 5001, window: 1000 })
  expect(c.see(1, { flags: RST, seq: 5001 + 4001 })).toBe(TRACK_IGNORE)
  expect(c.see(1, { flags: RST, seq: 5001 + 4000 })).toBe(TRACK_OK)
  const one = new Conversation()
  one.see(0, { flags: SYN, seq: 1000, options: scale(2) })
  one.see(1, { flags: SYN | ACK, seq: 5000, ack: 1001 })
  one.see(0, { flags: ACK, seq: 1001, ack: 5001, window: 1000 })
  expect(one.see(1, { flags: RST, seq: 5001 + 1001 })).toBe(TRACK_IGNORE)
})

test('the window moves with the data', () => {
  const c = new Conversation()
  for (const [dir, s] of reached.ESTABLISHED) c.see(dir, s)
  for (let seq = 1001; seq < 40_001; seq += 1000) {
    c.see(0, { flags: ACK, seq, ack: 5001, data: new Uint8Array(1000) })
    c.see(1, { flags: ACK, seq: 5001, ack: seq + 1000 })
  }
  expect(c.see(0, { flags: RST, seq: 1001 })).toBe(TRACK_IGNORE)
  expect(c.see(1, { flags: ACK, seq: 5001, ack: 99_000 })).toBe(TRACK_OK)
  expect(c.see(0, { flags: RST, seq: 99_000 })).toBe(TRACK_IGNORE)
  expect(c.see(0, { flags: RST, seq: 41_001 })).toBe(TRACK_OK)
})

test('sequence numbers wrap', () => {
  const c = new Conversation()
  c.see(0, { flags: SYN, seq: 0xffff_ffff })
  c.see(1, { flags: SYN | ACK, seq: 0xffff_fff0, ack: 0 })
  c.see(0, { flags: ACK, seq: 0, ack: 0xffff_fff1 })
  c.see(1, { flags: ACK, seq: 0xffff_fff1, ack: 0, data: new Uint8Array(100) })
  c.see(0, { flags: ACK, seq: 0, ack: 0x55 })
  expect(c.state).toBe('ESTABLISHED')
  c.see(1, { flags: FIN | ACK, seq: 0x55, ack: 0 })
  c.see(0, { flags: FIN | ACK, seq: 0, ack: 0x56 })
  c.see(1, { flags: ACK, seq: 0x56, ack: 1 })
  expect(c.state).toBe('TIME_WAIT')
})
