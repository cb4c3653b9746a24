/**
 * Meters at work: a token bucket for each band, in typed arrays, so that a packet costs a few additions.
 *
 * A bucket holds thousandths of a packet, or bits; it fills at the band's rate up to its burst (a second's
 * worth where none is given). Every band of a meter is charged with every packet; the packet fares as the band
 * of the highest rate says whose bucket does not hold enough (OpenFlow 1.3.5 §5.7.1). Open vSwitch's userspace
 * datapath has drop bands only, and so has this one.
 */
import { METER_BURST, METER_PKTPS, type MeterConfig } from '../../protocols/openflow/meter.ts'
import type { Instant } from '../../protocols/time.ts'

const BANDS = 8
/** A packet in a bucket's units. */
const PACKET = 1000

export class MeterRuntime {
  readonly #limit: number
  #capacity = 0
  #packets = new Uint8Array(0)
  #bands = new Uint8Array(0)
  #last = new Float64Array(0)
  #seenPackets = new Float64Array(0)
  #seenBytes = new Float64Array(0)
  // By slot * BANDS + band.
  /** Units a millisecond. */
  #rate = new Float64Array(0)
  #burst = new Float64Array(0)
  #bucket = new Float64Array(0)
  #droppedPackets = new Float64Array(0)
  #droppedBytes = new Float64Array(0)
  readonly #free: number[] = []
  #fresh = 0

  /** @param limit meters at the most, of all bridges */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** A meter with full buckets; its slot, or -1. */
  open(config: MeterConfig, now: Instant): number {
    let slot = this.#free.pop()
    if (slot === undefined) {
      if (this.#fresh === this.#limit) return -1
      if (this.#fresh === this.#capacity) this.#grow()
      slot = this.#fresh++
    }
    this.#seenPackets[slot] = 0
    this.#seenBytes[slot] = 0
    this.configure(slot, config, now)
    return slot
  }

  /** Other rates; buckets begin full. */
  configure(slot: number, { flags, bands }: MeterConfig, now: Instant): void {
    const byPacket = (flags & METER_PKTPS) !== 0
    this.#packets[slot] = byPacket ? 1 : 0
    this.#bands[slot] = bands.length
    this.#last[slot] = now
    bands.forEach(({ rate, burst }, i) => {
      const b = slot * BANDS + i
      const unit = byPacket ? PACKET : 1000
      this.#rate[b] = (rate * unit) / 1000
      const size = (flags & METER_BURST) !== 0 && burst > 0 ? burst : rate
      this.#burst[b] = size * unit
      this.#bucket[b] = this.#burst[b]
      this.#droppedPackets[b] = 0
      this.#droppedBytes[b] = 0
    })
  }

  close(slot: number): void {
    this.#bands[slot] = 0
    this.#free.push(slot)
  }

  /** Whether a frame of `packets` packets and `bytes` bytes may pass. */
  pass(slot: number, packets: number, bytes: number, now: Instant): boolean {
    this.#seenPackets[slot] += packets
    this.#seenBytes[slot] += bytes
    const elapsed = now - this.#last[slot]
    this.#last[slot] = now
    const cost = this.#packets[slot] === 1 ? packets * PACKET : bytes * 8
    let exceeded = -1
    for (let b = slot * BANDS, end = b + this.#bands[slot]; b < end; b++) {
      let tokens = this.#bucket[b]
      if (elapsed > 0) tokens = Math.min(this.#burst[b], tokens + elapsed * this.#rate[b])
      if (tokens >= cost) tokens -= cost
      else if (exceeded < 0 || this.#rate[b] > this.#rate[exceeded]) exceeded = b
      this.#bucket[b] = tokens
    }
    if (exceeded < 0) return true
    this.#droppedPackets[exceeded] += packets
    this.#droppedBytes[exceeded] += bytes
    return false
  }

  /** Packets and bytes that came to a meter. */
  seen(slot: number): { packets: number; bytes: number } {
    return { packets: this.#seenPackets[slot], bytes: this.#seenBytes[slot] }
  }

  /** Those that a band dropped. */
  dropped(slot: number, band: number): { packets: number; bytes: number } {
    const b = slot * BANDS + band
    return { packets: this.#droppedPackets[b], bytes: this.#droppedBytes[b] }
  }

  #grow(): void {
    this.#capacity = Math.min(this.#limit, Math.max(16, this.#capacity * 2))
    const n = this.#capacity
    const wider = (old: Float64Array, length: number): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(length)
      array.set(old)
      return array
    }
    const packets = new Uint8Array(n)
    packets.set(this.#packets)
    this.#packets = packets
    const bands = new Uint8Array(n)
    bands.set(this.#bands)
    this.#bands = bands
    this.#last = wider(this.#last, n)
    this.#seenPackets = wider(this.#seenPackets, n)
    this.#seenBytes = wider(this.#seenBytes, n)
    this.#rate = wider(this.#rate, n * BANDS)
    this.#burst = wider(this.#burst, n * BANDS)
    this.#bucket = wider(this.#bucket, n * BANDS)
    this.#droppedPackets = wider(this.#droppedPackets, n * BANDS)
    this.#droppedBytes = wider(this.#droppedBytes, n * BANDS)
  }
}
