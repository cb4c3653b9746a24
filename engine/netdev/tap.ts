/**
 * A TAP: the kernel's end is an interface in some namespace, ours is a descriptor. Frames cross with a
 * virtio-net header, so that checksums and segmentation stay undone for as long as nobody needs them; it is written
 * into the headroom in front of the frame. Where io_uring is there a burst of all TAPs is one system call, and its end
 * looks for the next (tap-batch.ts); where it is not a frame is one. Small frames of one flow go out together; see coalescer.ts.
 */

import { BURST, CELL_STRIDE, HEADROOM, MAX_FRAME, type PacketPool } from '../memory/packet-pool.ts'
import {
  EAGAIN,
  EBADFD,
  EFAULT,
  EINTR,
  EIO,
  ENETDOWN,
  ENOBUFS,
  ENOMEM,
  errno,
  read,
  write,
} from '../sys/libc.ts'
import { SCRATCH } from '../sys/memory.ts'
import {
  closeTap,
  openTap,
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  tapMtu,
  tapState,
} from '../sys/tun.ts'
import { Coalescer, type Gro } from './coalescer.ts'
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
import type { BatchUser, TapBatch } from './tap-batch.ts'
import { putVnetHeader, takeVnetHeader, VNET_V1_LEN } from './vnet-header.ts'

/** What a read may bring: a read that fills it was cut short, silently, and the frame is worthless. */
const READ_LEN = VNET_V1_LEN + CELL_STRIDE - HEADROOM

export interface TapOptions {
  /** Name of the interface. */
  readonly name: string
  readonly mtu: number
  /** Address of the kernel's end, a 48-bit number; the kernel chooses one if not given. */
  readonly mac?: number
  /**
   * Join small frames of a flow (coalescer.ts). If not given, datagrams only where each costs a system call: who
   * receives them has to take them apart again.
   */
  readonly gro?: Gro | undefined
  /** The thread's; without it every frame is a system call. */
  readonly batch?: TapBatch | undefined
}

export class TapNetdev implements Netdev, BatchUser {
  readonly name: string
  readonly fd: number
  readonly offloads: number
  readonly stats = new Float64Array(STAT_COUNT)
  mtu: number
  state: LinkState
  readonly #pool: PacketPool
  readonly #coalescer: Coalescer | undefined
  readonly #batch: TapBatch | undefined
  /** Frames that have been read together, and not been taken by `rx` yet. */
  readonly #arrived = new Uint32Array(BURST)
  #waiting = 0
  /** Whether the last read found that there is no more. */
  #dry = false
  /** Frames that the next burst is taken to have at least, and the read that finds no more. */
  #expected = 1
  #closed = false

  /**
   * Makes the interface, in the namespace of the calling thread; it is down until someone takes it up.
   * @param pool in native memory
   * @throws SystemError EBUSY when the name is taken, EPERM, ENOENT without /dev/net/tun
   */
  constructor(pool: PacketPool, options: TapOptions) {
    if (pool.address === 0) throw new Error('a TAP needs a packet pool in native memory')
    const tap = openTap(options.name, options.mtu, options.mac)
    this.#pool = pool
    this.name = options.name
    this.mtu = options.mtu
    this.fd = tap.fd
    let offloads = 0
    if (tap.offloads & TUN_F_CSUM) offloads |= OFFLOAD_CSUM
    if (tap.offloads & TUN_F_TSO4) offloads |= OFFLOAD_TSO4
    if (tap.offloads & TUN_F_TSO6) offloads |= OFFLOAD_TSO6
    if (tap.offloads & TUN_F_USO4) offloads |= OFFLOAD_USO
    this.offloads = offloads
    this.state = 'down'
    if (options.batch?.serves(tap.fd)) this.#batch = options.batch
    const gro = options.gro ?? (this.#batch === undefined ? 'all' : 'tcp')
    if (gro !== 'none') this.#coalescer = new Coalescer(pool, this, gro === 'all')
  }

  rx(out: Uint32Array, max: number): number {
    if (this.state === 'gone') return 0
    if (this.#batch !== undefined) return this.#rxTogether(this.#batch, out, max)
    return this.#rxOneByOne(out, this.#takeArrived(out, 0, max), max)
  }

  /** Reads frames behind `begin` others, until there are `max`; how many there are then. */
  #rxOneByOne(out: Uint32Array, begin: number, max: number): number {
    const pool = this.#pool
    let count = begin
    for (let i = begin; i < max; i++) {
      const h = pool.alloc()
      if (h < 0) {
        if (!this.#discard()) break
        continue
      }
      const n = read(this.fd, pool.address + pool.off[h] - VNET_V1_LEN, READ_LEN)
      if (n >= 0) {
        if (this.#take(h, n)) out[count++] = h
        continue
      }
      pool.free(h)
      if (this.#readFailed(errno())) break
    }
    return count
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Asks for one frame more than came the last time, so that the end of a burst is seen without asking again. */
  #rxTogether(batch: TapBatch, out: Uint32Array, max: number): number {
    if (this.#waiting === 0) this.#dry = false
    let count = this.#takeArrived(out, 0, max)
    // Counted are also frames that are of no use, or find no cell: others wait for their turn.
    for (let reads = count, wanted = this.#expected; reads < max && !this.#dry; wanted *= 2) {
      const asked = this.#ask(batch, Math.min(wanted, max - reads))
      if (asked > 0) batch.submit()
      else this.#dry = !this.#discard()
      reads += Math.max(asked, 1)
      count = this.#takeArrived(out, count, max)
    }
    this.#expected = Math.min(count + 1, BURST)
    return count
  }

  /** Asks for up to so many frames, and answers for how many there are cells. */
  #ask(batch: TapBatch, frames: number): number {
    const pool = this.#pool
    const most = Math.min(frames, BURST - this.#waiting)
    for (let n = 0; n < most; n++) {
      const h = pool.alloc()
      if (h < 0) return n
      batch.read(this, h, pool.off[h] - VNET_V1_LEN, READ_LEN)
    }
    return most
  }

  arrived(h: number, result: number): void {
    if (result >= 0) {
      if (this.#take(h, result)) this.#arrived[this.#waiting++] = h
      return
    }
    this.#pool.free(h)
    if (this.#readFailed(-result)) this.#dry = true
  }

  /** Hands out frames that have arrived, from the oldest on, behind `count` others; how many there are then. */
  #takeArrived(out: Uint32Array, count: number, max: number): number {
    const arrived = this.#arrived
    const waiting = this.#waiting
    const n = Math.min(waiting, max - count)
    for (let i = 0; i < n; i++) out[count + i] = arrived[i]
    for (let i = n; i < waiting; i++) arrived[i - n] = arrived[i]
    this.#waiting = waiting - n
    return count + n
  }

  /** A frame has come, with its virtio-net header; whether it is of any use. */
  #take(h: number, length: number): boolean {
    const pool = this.#pool
    const len = length - VNET_V1_LEN
    pool.len[h] = len
    if (len < 14 || len > MAX_FRAME || !takeVnetHeader(pool, h, pool.off[h] - VNET_V1_LEN, 0)) {
      pool.free(h)
      this.stats[RX_ERRORS]++
      return false
    }
    this.stats[RX_PACKETS]++
    this.stats[RX_BYTES] += len
    return true
  }

  /** Reads a frame into nowhere, for want of a cell; false when there is none. */
  #discard(): boolean {
    // A read as short as the header takes the whole frame off the queue.
    if (read(this.fd, SCRATCH, VNET_V1_LEN) < 0) {
      this.#readFailed(errno())
      return false
    }
    this.stats[RX_DROPPED]++
    return true
  }

  /** Answers whether the burst is over. */
  #readFailed(code: number): boolean {
    if (code === EAGAIN) return true
    if (code === EINTR) return false
    this.stats[RX_ERRORS]++
    if (code === EIO || code === ENETDOWN) this.state = 'down'
    // The interface was deleted, on its own or with its namespace. Whatever else is not passing would come
    // again at once and for ever, and is treated alike.
    else if (code !== ENOMEM && code !== ENOBUFS) this.state = 'gone'
    return true
  }

  tx(h: number): void {
    if (this.#coalescer?.take(h) !== true) this.write(h, 1, this.#pool.len[h])
  }

  write(h: number, packets: number, bytes: number): void {
    const pool = this.#pool
    const length = pool.len[h] + VNET_V1_LEN
    const at = pool.off[h] - VNET_V1_LEN
    if (this.state === 'gone' || at < h * CELL_STRIDE) {
      this.stats[TX_DROPPED] += packets
      return
    }
    putVnetHeader(pool, h, at, 0)
    pool.u8[at + 10] = 0
    pool.u8[at + 11] = 0
    if (this.#batch !== undefined) this.#batch.write(this, at, length, packets, bytes)
    else this.written(write(this.fd, pool.address + at, length) < 0 ? -errno() : length, packets, bytes)
  }

  written(result: number, packets: number, bytes: number): void {
    const stats = this.stats
    if (result >= 0) {
      this.state = 'up'
      stats[TX_PACKETS] += packets
      stats[TX_BYTES] += bytes
      return
    }
    const code = -result
    if (code === EIO || code === ENETDOWN) {
      this.state = 'down'
      stats[TX_DROPPED] += packets
    } else if (code === EBADFD || code === EFAULT) {
      this.state = 'gone'
      stats[TX_DROPPED] += packets
    } else if (code === EAGAIN || code === ENOBUFS || code === ENOMEM) {
      stats[TX_DROPPED] += packets
    } else {
      stats[TX_ERRORS] += packets
    }
  }

  prepare(more: boolean): void {
    this.#coalescer?.flush()
    if (!more || this.state === 'gone' || this.#waiting > 0) return
    if (this.#batch !== undefined) {
      this.#dry = false
      this.#ask(this.#batch, this.#expected)
    } else this.#waiting = this.#rxOneByOne(this.#arrived, 0, 1)
  }

  flush(): void {
    this.#coalescer?.flush()
    this.#batch?.submit()
  }

  refresh(): void {
    if (this.state === 'gone') return
    this.state = tapState(this.fd)
    this.mtu = tapMtu(this.fd) ?? this.mtu
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.flush()
    for (let i = 0; i < this.#waiting; i++) this.#pool.free(this.#arrived[i])
    this.#waiting = 0
    this.state = 'gone'
    closeTap(this.fd)
  }
}
