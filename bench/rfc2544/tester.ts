/**
 * The tester of RFC 2544 §6 and RFC 2889: one program on both sides of the switch. It sends frames at a rate, counts
 * which come out on the other side and how long they took. Frames are UDP to the discard port (RFC 2544 §C.2.6.4) with
 * a number and a time in their payload.
 */
import { CELL_STRIDE, PacketPool } from '../../engine/memory/packet-pool.ts'
import { PacketNetdev } from '../../engine/netdev/packet.ts'
import { mapMemory } from '../../engine/sys/memory.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'
import { type Host, macOf, type Network } from '../peers/peer.ts'
import { udpFrame } from '../support/frames.ts'

/** Bytes of the FCS, which frame sizes of the RFC include and packet sockets do not. */
const FCS = 4
const PORTS = 14 + 20
const PAYLOAD = PORTS + 8
const MAGIC = 0x2544_2889
const DISCARD = 9
const BURST = 32
/** How long frames may be on their way when sending has ended (RFC 2544 §23: two seconds; nothing here is that slow). */
const LAST_MS = 150

export interface Trial {
  /** With the FCS. */
  readonly size: number
  /** Frames a second. */
  readonly rate: number
  readonly seconds: number
  /** Frames sent back to back, in place of at a rate. */
  readonly burst?: number
  /** Addresses that frames come from in turn; all come from the host's by default. */
  readonly sources?: Addresses
  /** Frames a second beside those that count, each with UDP ports that no other has. */
  readonly flood?: number
  /** Addresses that frames go to in turn; all go to the host on the other side by default. */
  readonly destinations?: Addresses
}

export interface Addresses {
  readonly first: number
  readonly count: number
  readonly step: number
}

export interface Outcome {
  readonly sent: number
  /** Frames a second, as they really were sent: a tester has its limits, too. */
  readonly rate: number
  readonly received: number
  /** Frames of the flood that were sent, and that came out. */
  readonly flood: { readonly sent: number; readonly received: number }
  /** Microseconds, sorted. */
  readonly latencies: Float64Array
}

export class Tester {
  readonly #pool: PacketPool
  readonly #tx: PacketNetdev
  readonly #rx: PacketNetdev
  readonly #address: { dst: number; src: number; from: number; to: number }
  readonly #burst = new Uint32Array(BURST)
  #run = 0
  #received = 0
  #flooded = 0
  #floodReceived = 0
  #latencies: number[] = []

  constructor({ from, to, nextHop }: Pick<Network, 'from' | 'to' | 'nextHop'>) {
    const memory = mapMemory(256 * CELL_STRIDE)
    this.#pool = new PacketPool(256, memory.bytes, memory.address)
    this.#tx = this.#open(from)
    this.#rx = this.#open(to)
    this.#address = {
      dst: parseMac(nextHop) as number,
      src: parseMac(macOf(from)) as number,
      from: parseIpv4(from.address) as number,
      to: parseIpv4(to.address) as number,
    }
  }

  #open({ namespace, device }: Host): PacketNetdev {
    return new PacketNetdev(this.#pool, { name: device, device, namespace: `/run/netns/${namespace}` })
  }

  run(trial: Trial): Outcome {
    this.#run++
    this.#received = 0
    this.#floodReceived = 0
    this.#latencies = []
    const ports = { srcPort: 1024 + (this.#run & 0x7fff), dstPort: DISCARD }
    const h = this.#pool.fromBytes(udpFrame({ ...this.#address, ...ports, size: trial.size - FCS }))
    const others = this.#pool.fromBytes(
      udpFrame({ ...this.#address, srcPort: 0, dstPort: 0, size: 64 - FCS }),
    )
    const before = this.#flooded
    const begin = performance.now()
    const sent = trial.burst === undefined ? this.#paced(trial, h, others) : this.#backToBack(trial, h)
    const ended = performance.now()
    const rate = (sent * 1000) / (ended - begin)
    const end = ended + LAST_MS
    while (performance.now() < end) this.#receive()
    this.#pool.free(h)
    this.#pool.free(others)
    const flood = { sent: this.#flooded - before, received: this.#floodReceived }
    const latencies = Float64Array.from(this.#latencies).sort()
    return { sent, rate, received: this.#received, flood, latencies }
  }

  #paced(trial: Trial, h: number, others: number): number {
    const begin = performance.now()
    const before = this.#flooded
    const total = Math.round(trial.rate * trial.seconds)
    let sent = 0
    while (sent < total) {
      const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * trial.rate))
      const most = Math.min(due, sent + BURST)
      if (most > sent) {
        while (sent < most) this.#send(trial, h, sent++)
        this.#tx.flush()
      }
      if (trial.flood !== undefined) {
        const flooded = Math.floor(((performance.now() - begin) / 1000) * trial.flood)
        this.#flood(others, Math.min(BURST, flooded - (this.#flooded - before)))
      }
      this.#receive()
    }
    return sent
  }

  #flood(h: number, count: number): void {
    if (count <= 0) return
    const { u8, off } = this.#pool
    const at = off[h]! + PORTS
    for (let i = 0; i < count; i++) {
      const n = ++this.#flooded
      // The UDP checksum is left out: nothing else changes with the ports. 15 bits of each count.
      put32(u8, at, ((0x8000 | (n & 0x7fff)) << 16) | ((n >>> 15) & 0x7fff))
      this.#tx.tx(h)
    }
    this.#tx.flush()
  }

  #backToBack(trial: Trial, h: number): number {
    const count = trial.burst!
    for (let sent = 0; sent < count; sent++) {
      this.#send(trial, h, sent)
      if (sent % BURST === BURST - 1) this.#tx.flush()
    }
    this.#tx.flush()
    return count
  }

  #send({ sources, destinations }: Trial, h: number, n: number): void {
    const { u8, off } = this.#pool
    const at = off[h]! + PAYLOAD
    if (destinations !== undefined) put48(u8, off[h]!, nth(destinations, n))
    if (sources !== undefined) put48(u8, off[h]! + 6, nth(sources, n))
    put32(u8, at, MAGIC)
    put32(u8, at + 4, this.#run)
    // Microseconds, modulo 2^32.
    put32(u8, at + 8, (performance.now() * 1000) % 0x1_0000_0000)
    this.#tx.tx(h)
  }

  #receive(): void {
    const pool = this.#pool
    const count = this.#rx.rx(this.#burst, BURST)
    if (count === 0) return
    const now = (performance.now() * 1000) % 0x1_0000_0000
    for (let i = 0; i < count; i++) {
      const h = this.#burst[i]!
      const at = pool.off[h]! + PAYLOAD
      if (
        pool.len[h]! >= PAYLOAD + 12 &&
        get32(pool.u8, at) === MAGIC &&
        get32(pool.u8, at + 4) === this.#run
      ) {
        this.#received++
        this.#latencies.push(now - get32(pool.u8, at + 8))
      } else if (pool.len[h]! >= PAYLOAD && pool.u8[pool.off[h]! + PORTS]! >= 0x80) this.#floodReceived++
      pool.free(h)
    }
  }

  close(): void {
    this.#tx.close()
    this.#rx.close()
  }
}

function nth({ first, count, step }: Addresses, n: number): number {
  return first + (n % count) * step
}

function put32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}

function put48(b: Uint8Array, at: number, value: number): void {
  b[at] = value / 2 ** 40
  b[at + 1] = value / 2 ** 32
  put32(b, at + 2, value % 2 ** 32)
}

function get32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0
}
