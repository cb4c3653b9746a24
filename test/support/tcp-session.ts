/** The client's end of a TCP conversation with a station. */
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import type { Heard, Station, Surroundings } from './station.ts'

export const NOTHING: Uint8Array = new Uint8Array(0)

/** One established TCP connection, seen from the client. */
export class Session {
  readonly sport: number
  readonly #client: Station
  readonly #lab: Surroundings
  readonly #to: number
  readonly #dport: number
  #seq: number
  #ack: number

  constructor(
    client: Station,
    lab: Surroundings,
    to: number,
    sport: number,
    dport: number,
    seq: number,
    ack: number,
  ) {
    this.#client = client
    this.#lab = lab
    this.#to = to
    this.sport = sport
    this.#dport = dport
    this.#seq = seq
    this.#ack = ack
  }

  /** Says something. @returns whether the server said it back at once */
  exchange(data: Uint8Array = Uint8Array.of(104, 101, 108, 108, 111)): boolean {
    const client = this.#client
    client.heard = undefined
    client.sendTcp(this.#to, this.sport, this.#dport, tcp.ACK | tcp.PSH, this.#seq, this.#ack, data)
    this.#lab.run()
    const h = client.heard as Heard | undefined
    if (h === undefined || h.src !== this.#to || h.dport !== this.sport) return false
    if (h.ack !== this.#seq + data.length || Buffer.compare(h.data, data) !== 0) return false
    this.#seq += data.length
    this.#ack += data.length
    client.sendTcp(this.#to, this.sport, this.#dport, tcp.ACK, this.#seq, this.#ack)
    this.#lab.run()
    return true
  }
}

interface SegmentParts {
  readonly src: number
  readonly dst: number
  readonly srcPort: number
  readonly dstPort: number
  readonly flags: number
  readonly seq: number
  readonly ack: number
  readonly data: Uint8Array
}

/** A TCP segment without options. */
export function segment(s: SegmentParts): Uint8Array {
  const b = new Uint8Array(tcp.HEADER_LEN + s.data.length)
  tcp.emit({ ...s, window: 8192, urgentPointer: 0, options: NOTHING }, b, 0)
  b.set(s.data, tcp.HEADER_LEN)
  tcp.fillChecksum(b, 0, b.length, pseudoHeader4(s.src, s.dst, ipv4.PROTO_TCP, b.length))
  return b
}
