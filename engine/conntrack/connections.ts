/** What is known of connections: their tuples, and what their records say. */
import { mix } from '../flow/hash.ts'
import { TAG_CONNECTION, TAG_MAPPING, tagOf } from '../ofproto/tags.ts'
import {
  F_ASSURED,
  F_EXPECTED,
  F_HELPED,
  F_RENEWABLE,
  F_REPLIED,
  R_CREATED,
  R_END,
  R_FLAGS,
  R_OWNER_A,
  R_OWNER_B,
  R_PROTO,
  R_SCALE,
  R_STATE,
  R_ZONE,
  RECORD_SHIFT,
} from './connection-record.ts'
import { isOver, TCP_NONE, TCP_STATE_NAMES } from './tcp-state.ts'
import { PROTO_TCP } from './tuple.ts'
import { TupleTable } from './tuple-table.ts'

export class Connections {
  protected readonly tuples: TupleTable
  protected record = new Int32Array(0)

  /** @param seed makes the hash unpredictable to senders */
  constructor(seed: number) {
    this.tuples = new TupleTable(seed)
  }

  /** The tag of cached decisions that use this connection. */
  tag(connection: number): number {
    return tagOf(TAG_CONNECTION, connection, 0, 0)
  }

  /** The tag of cached decisions that found no connection for a tuple. */
  tupleTag(zone: number, proto: number, src: number, dst: number, tp: number): number {
    return tagOf(TAG_MAPPING, mix(zone << 8, proto) ^ src, dst, tp)
  }

  /** Nothing has been seen of it yet. @param flags F_* bits */
  protected begin(connection: number, flags: number, tick: number): void {
    const r = connection << RECORD_SHIFT
    this.record[r + R_STATE] = TCP_NONE
    this.record[r + R_FLAGS] = flags
    for (let i = R_END; i <= R_SCALE; i++) this.record[r + i] = 0
    this.record[r + R_CREATED] = tick
  }

  exists(connection: number): boolean {
    return this.record[(connection << RECORD_SHIFT) + R_PROTO] !== 0
  }

  /** Fields of a tuple; `entry` is connection * 2 + direction. */
  src(entry: number): number {
    return this.tuples.src(entry)
  }

  dst(entry: number): number {
    return this.tuples.dst(entry)
  }

  tp(entry: number): number {
    return this.tuples.tp(entry)
  }

  proto(connection: number): number {
    return this.record[(connection << RECORD_SHIFT) + R_PROTO]
  }

  zoneOf(connection: number): number {
    return this.record[(connection << RECORD_SHIFT) + R_ZONE]
  }

  assured(connection: number): boolean {
    return (this.record[(connection << RECORD_SHIFT) + R_FLAGS] & F_ASSURED) !== 0
  }

  /** TCP: the state's name; others UNREPLIED or ASSURED. */
  stateName(connection: number): string {
    const r = connection << RECORD_SHIFT
    if (this.record[r + R_PROTO] === PROTO_TCP) return TCP_STATE_NAMES[this.record[r + R_STATE]]
    return (this.record[r + R_FLAGS] & F_REPLIED) !== 0 ? 'ASSURED' : 'UNREPLIED'
  }

  /** Whether no more than stragglers are to come; the next SYN begins another connection between the same ends. */
  over(connection: number): boolean {
    const r = connection << RECORD_SHIFT
    return this.record[r + R_PROTO] === PROTO_TCP && isOver(this.record[r + R_STATE])
  }

  replied(connection: number): boolean {
    return (this.record[(connection << RECORD_SHIFT) + R_FLAGS] & F_REPLIED) !== 0
  }

  helped(connection: number): boolean {
    return (this.record[(connection << RECORD_SHIFT) + R_FLAGS] & F_HELPED) !== 0
  }

  expected(connection: number): boolean {
    return (this.record[(connection << RECORD_SHIFT) + R_FLAGS] & F_EXPECTED) !== 0
  }

  setExpected(connection: number): void {
    this.record[(connection << RECORD_SHIFT) + R_FLAGS] |= F_EXPECTED
  }

  setRenewable(connection: number, may: boolean): void {
    const at = (connection << RECORD_SHIFT) + R_FLAGS
    if (may) this.record[at] |= F_RENEWABLE
    else this.record[at] &= ~F_RENEWABLE
  }

  setHelped(connection: number): void {
    this.record[(connection << RECORD_SHIFT) + R_FLAGS] |= F_HELPED
  }

  /** Two words for the creator, -1 at first. */
  ownerA(connection: number): number {
    return this.record[(connection << RECORD_SHIFT) + R_OWNER_A]
  }

  ownerB(connection: number): number {
    return this.record[(connection << RECORD_SHIFT) + R_OWNER_B]
  }

  setOwner(connection: number, a: number, b: number): void {
    this.record[(connection << RECORD_SHIFT) + R_OWNER_A] = a
    this.record[(connection << RECORD_SHIFT) + R_OWNER_B] = b
  }
}
