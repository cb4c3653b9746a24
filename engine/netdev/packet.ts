/**
 * An existing interface, by a packet socket with rings: what Open vSwitch calls a port of type "system".
 *
 * The kernel hands frames over before its own stack sees them and takes two things away that are put back
 * here: the checksum a local sender left undone (in the virtio-net header) and the VLAN tag (in the slot's
 * header). Without the former TCP between veth peers fails although ping works.
 *
 * The device is bound by index. When it is deleted the state becomes 'gone'; for an interface of the same name
 * that appears later, close this and make a new one.
 */
import { put16 } from '../../protocols/wire/big-endian.ts'
import { CELL_STRIDE, GSO_NONE, HEADROOM, MAX_FRAME, type PacketPool } from '../memory/packet-pool.ts'
import {
  EAGAIN,
  EINTR,
  EINVAL,
  EMSGSIZE,
  ENETDOWN,
  ENXIO,
  errno,
  MSG_DONTWAIT,
  MSG_TRUNC,
  memcpy,
  recv,
  send,
} from '../sys/libc.ts'
import { SCRATCH } from '../sys/memory.ts'
import { inNamespace } from '../sys/netns.ts'
import * as tp from '../sys/packet-socket.ts'
import { copyWords, WORD_COPY } from './copy-words.ts'
import {
  type LinkState,
  type Netdev,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  RX_BYTES,
  RX_DROPPED,
  RX_ERRORS,
  RX_PACKETS,
  STAT_COUNT,
  TX_BYTES,
  TX_DROPPED,
  TX_ERRORS,
  TX_PACKETS,
} from './netdev.ts'
import { putVnetHeader, takeMissingChecksum, takeVnetHeader, VNET_LEN } from './vnet-header.ts'

/** Bursts that found nothing before the device is looked at: a poll() that returns at once must have a reason. */
const EMPTY_BURSTS = 1024
/** A virtio-net header, and what goes in front of it where whole words are copied. */
const VNET_ROOM = 12

export interface PacketOptions {
  /** Name of the port. */
  readonly name: string
  /** Name of the interface. */
  readonly device: string
  /** Path of the namespace the interface is in, when it is not the thread's own. */
  readonly namespace?: string
  /** False does without virtio-net headers and so without offloads. */
  readonly vnet?: boolean
}

export class PacketNetdev implements Netdev {
  readonly name: string
  readonly fd: number
  readonly offloads: number
  readonly stats = new Float64Array(STAT_COUNT)
  mtu: number
  state: LinkState = 'down'
  readonly #pool: PacketPool
  readonly #socket: tp.PacketSocket
  readonly #vnetLen: number
  readonly #ring8: Uint8Array
  readonly #ring16: Uint16Array
  readonly #ring32: Uint32Array
  readonly #pool32: Uint32Array
  /** Index of each slot's first byte in the rings. */
  readonly #rxSlots: Uint32Array
  readonly #txSlots: Uint32Array
  #rxHead = 0
  #txHead = 0
  #txPending = 0
  #emptyBursts = 0
  /** Where what nobody wants to know goes, lest it be left unread. */
  readonly #sink = new Uint32Array(1)
  #closed = false

  /**
   * @param pool in native memory
   * @throws SystemError ENODEV when there is no such interface, ENOENT no such namespace, EPERM
   */
  constructor(pool: PacketPool, options: PacketOptions) {
    if (pool.address === 0) throw new Error('a packet socket needs a packet pool in native memory')
    const vnet = options.vnet ?? true
    const opened = () => tp.openPacketSocket(options.device, vnet)
    const s = options.namespace === undefined ? opened() : inNamespace(options.namespace, opened)
    this.#pool = pool
    this.#socket = s
    this.name = options.name
    this.fd = s.fd
    this.mtu = s.mtu
    this.#vnetLen = vnet ? VNET_LEN : 0
    this.offloads = vnet ? OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO : 0
    this.#ring8 = s.bytes
    this.#ring16 = new Uint16Array(s.bytes.buffer)
    this.#ring32 = new Uint32Array(s.bytes.buffer)
    this.#pool32 = new Uint32Array(pool.u8.buffer, pool.u8.byteOffset, pool.u8.length >>> 2)
    this.#rxSlots = tp.slotOffsets(s, 0, s.rxBlocks)
    this.#txSlots = tp.slotOffsets(s, s.rxBlocks, s.txBlocks)
    this.refresh()
  }

  rx(out: Uint32Array, max: number): number {
    if (this.state === 'gone') return 0
    const slots = this.#rxSlots
    const ring32 = this.#ring32
    const seen = this.#filled(max)
    let head = this.#rxHead
    let count = 0
    for (let i = 0; i < seen; i++) {
      const slot = slots[head]
      const h = this.#take(slot, ring32[slot >>> 2])
      tp.giveBack(ring32, slot)
      if (++head === slots.length) head = 0
      if (h >= 0) out[count++] = h
    }
    this.#rxHead = head
    if (seen > 0) this.#emptyBursts = 0
    else if (++this.#emptyBursts >= EMPTY_BURSTS) this.refresh()
    return count
  }

  /**
   * How many slots hold frames, `max` at the most. Another processor has just written them: the lines of all are asked
   * for before anybody waits for one.
   */
  #filled(max: number): number {
    const slots = this.#rxSlots
    const ring32 = this.#ring32
    let head = this.#rxHead
    let touched = 0
    let n = 0
    for (; n < max; n++) {
      const slot = slots[head]
      if ((Atomics.load(ring32, slot >>> 2) & tp.TP_STATUS_USER) === 0) break
      touched ^= ring32[(slot + tp.CACHE_LINE) >>> 2] ^ ring32[(slot + 2 * tp.CACHE_LINE) >>> 2]
      if (++head === slots.length) head = 0
    }
    this.#sink[0] = touched
    return n
  }

  get waiting(): number {
    if (this.state === 'gone') return 0
    const status = Atomics.load(this.#ring32, this.#rxSlots[this.#rxHead] >>> 2)
    return status & tp.TP_STATUS_USER
  }

  /** The frame in a receive slot as a packet, or -1 when it is dropped. */
  #take(slot: number, status: number): number {
    const pool = this.#pool
    const ring8 = this.#ring8
    const copied = (status & tp.TP_STATUS_COPY) !== 0
    if (ring8[slot + tp.TP_PKTTYPE] === tp.PACKET_OUTGOING) {
      if (copied) this.#discard()
      return -1
    }
    const len = this.#ring32[(slot + tp.TP_LEN) >>> 2]
    if (!copied && this.#ring32[(slot + tp.TP_SNAPLEN) >>> 2] < len) {
      // Too large for the slot, and the queue beside the ring was full.
      this.stats[RX_DROPPED]++
      return -1
    }
    const h = pool.alloc()
    if (h < 0) {
      if (copied) this.#discard()
      this.stats[RX_DROPPED]++
      return -1
    }
    const vnetLen = this.#vnetLen
    const tagged = (status & tp.TP_STATUS_VLAN_VALID) !== 0
    // A tag is put in by moving the two addresses forward, over where the virtio-net header was: so that goes
    // out of the way.
    const at = pool.off[h]
    let vnetAt = at - vnetLen
    let ok = true
    if (copied) ok = this.#fetch(vnetAt, len + vnetLen)
    else {
      const from = slot + this.#ring16[(slot + tp.TP_MAC) >>> 1]
      this.#copyIn(from - VNET_ROOM, at - VNET_ROOM, len + VNET_ROOM)
    }
    if (tagged && ok) {
      pool.u8.copyWithin(at - 16, vnetAt, at)
      vnetAt = at - 16
    }
    if (ok) {
      pool.len[h] = len
      ok = len >= 14 && len <= MAX_FRAME && this.#takeMetadata(h, vnetAt, slot, status, tagged)
    }
    if (!ok) {
      pool.free(h)
      this.stats[RX_ERRORS]++
      return -1
    }
    this.stats[RX_PACKETS]++
    this.stats[RX_BYTES] += pool.len[h]
    return h
  }

  #takeMetadata(h: number, vnetAt: number, slot: number, status: number, tagged: boolean): boolean {
    const pool = this.#pool
    let shift = 0
    if (tagged) {
      const b = pool.u8
      const o = pool.off[h]
      // The header is 16 bytes below; the addresses move 4, into what lies between.
      b.copyWithin(o - 4, o, o + 12)
      const tpid =
        status & tp.TP_STATUS_VLAN_TPID_VALID ? this.#ring16[(slot + tp.TP_VLAN_TPID) >>> 1] : 0x8100
      put16(b, o + 8, tpid)
      put16(b, o + 10, this.#ring16[(slot + tp.TP_VLAN_TCI) >>> 1])
      pool.off[h] = o - 4
      pool.len[h] += 4
      shift = 4
    }
    if (this.#vnetLen !== 0) return takeVnetHeader(pool, h, vnetAt, shift)
    return (status & tp.TP_STATUS_CSUMNOTREADY) === 0 || takeMissingChecksum(pool, h, this.mtu)
  }

  /** Fetches a frame that was queued beside the ring; false when it is not the one announced. */
  #fetch(at: number, expected: number): boolean {
    const room = CELL_STRIDE - HEADROOM
    for (;;) {
      const n = recv(this.fd, this.#pool.address + at, room, MSG_DONTWAIT | MSG_TRUNC)
      if (n >= 0) return n === expected && n <= room
      // Another error was pending on the socket, which reports it once; the frame is still there.
      if (errno() === EAGAIN) return false
    }
  }

  #discard(): void {
    while (recv(this.fd, SCRATCH, 16, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno() !== EAGAIN) {}
  }

  #copyIn(from: number, to: number, len: number): void {
    if (len > WORD_COPY || ((from | to) & 3) !== 0) {
      memcpy(this.#pool.address + to, this.#socket.address + from, len)
      return
    }
    copyWords(this.#ring32, from, this.#pool32, to, len)
  }

  tx(h: number): void {
    const pool = this.#pool
    const len = pool.len[h]
    if (this.state === 'gone' || pool.off[h] - VNET_ROOM < h * CELL_STRIDE) {
      this.stats[TX_DROPPED]++
      return
    }
    if (tp.TX_DATA + VNET_ROOM + len > this.#socket.slotLen) {
      this.#sendLarge(h, len)
      return
    }
    const slot = this.#txSlots[this.#txHead]
    if (!this.#free(slot)) {
      this.flush()
      if (!this.#free(slot)) {
        this.stats[TX_DROPPED]++
        return
      }
    }
    const at = pool.off[h]
    // Copied whole: a frame of a few bytes by reference to the ring's pages costs the kernel more.
    if (this.#vnetLen !== 0) putVnetHeader(pool, h, at - VNET_LEN, pool.gsoType[h] === GSO_NONE ? len : 0)
    this.#copyOut(at - VNET_ROOM, slot + tp.TX_DATA, len + VNET_ROOM)
    const ring32 = this.#ring32
    ring32[(slot + tp.TP_LEN) >>> 2] = len + this.#vnetLen
    ring32[(slot + tp.TP_MAC) >>> 2] = tp.TX_DATA + VNET_ROOM - this.#vnetLen
    // Not before this thread calls the kernel will anybody look at it.
    ring32[slot >>> 2] = tp.TP_STATUS_SEND_REQUEST
    if (++this.#txHead === this.#txSlots.length) this.#txHead = 0
    this.#txPending++
    this.stats[TX_PACKETS]++
    this.stats[TX_BYTES] += len
  }

  #free(slot: number): boolean {
    return (this.#ring32[slot >>> 2] & (tp.TP_STATUS_SEND_REQUEST | tp.TP_STATUS_SENDING)) === 0
  }

  /** Like `#copyIn` the other way; a slot has room for the rest of the last word. */
  #copyOut(from: number, to: number, len: number): void {
    if (len > WORD_COPY || ((from | to) & 3) !== 0) {
      memcpy(this.#socket.address + to, this.#pool.address + from, len)
      return
    }
    copyWords(this.#pool32, from, this.#ring32, to, len)
  }

  /** A frame that fits no slot goes at once, behind those already in the ring. */
  #sendLarge(h: number, len: number): void {
    const pool = this.#pool
    this.flush()
    const at = pool.off[h] - this.#vnetLen
    if (this.#vnetLen !== 0) putVnetHeader(pool, h, at, 0)
    if (send(this.#socket.plainFd, pool.address + at, len + this.#vnetLen, MSG_DONTWAIT) >= 0) {
      this.stats[TX_PACKETS]++
      this.stats[TX_BYTES] += len
      return
    }
    const code = errno()
    if (code === EINVAL || code === EMSGSIZE) {
      this.stats[TX_ERRORS]++
      return
    }
    this.stats[TX_DROPPED]++
    if (code === ENETDOWN || code === ENXIO) this.refresh()
  }

  prepare(): void {}

  flush(): void {
    if (this.#txPending === 0 || this.#closed) return
    // EAGAIN and ENOBUFS leave what was not sent in the ring, for the next flush.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (send(this.fd, 0, 0, MSG_DONTWAIT) >= 0) {
        this.#txPending = 0
        return
      }
      const code = errno()
      if (code === EINTR) continue
      if (code === ENETDOWN || code === ENXIO) {
        this.#withdraw()
        this.refresh()
      }
      return
    }
  }

  /** Takes back what the kernel did not send, lest it be sent long after, when the link is up again. */
  #withdraw(): void {
    const slots = this.#txSlots
    for (let i = 0; i < slots.length; i++) {
      const last = this.#txHead === 0 ? slots.length - 1 : this.#txHead - 1
      const slot = slots[last]
      if (Atomics.load(this.#ring32, slot >>> 2) !== tp.TP_STATUS_SEND_REQUEST) break
      this.stats[TX_PACKETS]--
      this.stats[TX_BYTES] -= this.#ring32[(slot + tp.TP_LEN) >>> 2] - this.#vnetLen
      this.stats[TX_DROPPED]++
      Atomics.store(this.#ring32, slot >>> 2, 0)
      this.#txHead = last
    }
    this.#txPending = 0
  }

  refresh(): void {
    this.#emptyBursts = 0
    if (this.state === 'gone') return
    const link = tp.packetSocketLink(this.#socket)
    this.state = link.state
    this.mtu = link.mtu
    this.stats[RX_DROPPED] += tp.packetSocketDrops(this.#socket)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.state = 'gone'
    tp.closePacketSocket(this.#socket)
  }
}
