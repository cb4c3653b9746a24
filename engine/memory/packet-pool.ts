/**
 * The one home of frames. A packet is an integer handle; its bytes lie in one cell of a preallocated slab and
 * what is known about it lies in parallel typed arrays under the same index. Nothing here allocates after
 * construction.
 *
 * Ownership: whoever allocates a handle, or is given one, frees it exactly once or hands it on. A netdev's
 * `tx` only borrows.
 *
 * Cells hold a whole GSO frame (64 KiB) behind HEADROOM bytes into which headers are pushed. Their stride is
 * deliberately not a power of two: with 65,536 bytes between them all headers would share the same cache sets.
 */

/** Frames handled per burst, as in Open vSwitch's NETDEV_MAX_BURST. */
export const BURST = 32

/** Bytes free in front of a received frame: VLAN tags, tunnel headers, the virtio-net header on its way out. */
export const HEADROOM = 192

/** Longest frame that fits a cell: an IPv4 datagram of 65,535 bytes behind Ethernet and two VLAN tags. */
export const MAX_FRAME = 65_535 + 14 + 8

/** Distance between cells: headroom, the longest frame, and an odd number of 64-byte lines. */
export const CELL_STRIDE = 65_536 + 448

/** virtio-net header flags, as in the VIRTIO specification 1.2 §5.1.6. */
export const VNET_NEEDS_CSUM = 1
export const VNET_DATA_VALID = 2

/** virtio-net GSO types, VIRTIO 1.2 §5.1.6. */
export const GSO_NONE = 0
export const GSO_TCPV4 = 1
export const GSO_UDP = 3
export const GSO_TCPV6 = 4
export const GSO_UDP_L4 = 5
export const GSO_ECN = 0x80

export class PacketPool {
  readonly cells: number
  /** The slab. Index it with `off[h]` plus an offset inside the frame. */
  readonly u8: Uint8Array
  /** The same memory for reads and writes of 16 and 32 bits in network byte order. */
  readonly dv: DataView
  /** Native address of `u8[0]`, or 0 when the slab is ordinary heap memory (simulation, tests). */
  readonly address: number

  /** Index in `u8` of the first byte of the frame (the Ethernet destination address). */
  readonly off: Uint32Array
  /** Length of the frame in bytes. */
  readonly len: Uint32Array
  /** Datapath port the frame came in by. */
  readonly inPort: Uint32Array

  /** Index in `u8` of the network header, 0 where there is none; set by `extract`. */
  readonly l3: Uint32Array
  /** Index in `u8` of the transport header, 0 where there is none; set by `extract`. */
  readonly l4: Uint32Array

  /** virtio-net header: VNET_* flags. `csumStart` and `csumOffset` are meaningful with VNET_NEEDS_CSUM. */
  readonly vnetFlags: Uint8Array
  /** virtio-net header: GSO_* type; with other than GSO_NONE the frame is one large segment. */
  readonly gsoType: Uint8Array
  /** virtio-net header: payload bytes of each segment that the large one stands for. */
  readonly gsoSize: Uint16Array
  /** virtio-net header: where checksumming begins, in bytes from the start of the frame. */
  readonly csumStart: Uint16Array
  /** virtio-net header: where the checksum goes, in bytes from `csumStart`. */
  readonly csumOffset: Uint16Array

  readonly #free: Uint32Array
  #freeCount: number

  /**
   * @param cells how many frames may be alive at once
   * @param slab memory of at least `cells * CELL_STRIDE` bytes; ordinary heap memory if not given
   * @param address native address of the slab's first byte
   */
  constructor(cells: number, slab?: Uint8Array, address = 0) {
    this.cells = cells
    this.u8 = slab ?? new Uint8Array(cells * CELL_STRIDE)
    this.dv = new DataView(this.u8.buffer, this.u8.byteOffset, this.u8.byteLength)
    this.address = address
    this.off = new Uint32Array(cells)
    this.len = new Uint32Array(cells)
    this.inPort = new Uint32Array(cells)
    this.l3 = new Uint32Array(cells)
    this.l4 = new Uint32Array(cells)
    this.vnetFlags = new Uint8Array(cells)
    this.gsoType = new Uint8Array(cells)
    this.gsoSize = new Uint16Array(cells)
    this.csumStart = new Uint16Array(cells)
    this.csumOffset = new Uint16Array(cells)
    this.#free = new Uint32Array(cells)
    for (let i = 0; i < cells; i++) this.#free[i] = cells - 1 - i
    this.#freeCount = cells
  }

  /** Cells nobody owns. */
  get available(): number {
    return this.#freeCount
  }

  /** An empty frame at the usual headroom with no offload pending, or -1 when every cell is taken. */
  alloc(): number {
    if (this.#freeCount === 0) return -1
    const h = this.#free[--this.#freeCount]
    this.off[h] = h * CELL_STRIDE + HEADROOM
    this.len[h] = 0
    this.inPort[h] = 0
    this.vnetFlags[h] = 0
    this.gsoType[h] = GSO_NONE
    return h
  }

  /** Gives a cell back. */
  free(h: number): void {
    this.#free[this.#freeCount++] = h
  }

  /** A copy with a life of its own, metadata included, or -1 when every cell is taken. */
  clone(h: number): number {
    const c = this.alloc()
    if (c < 0) return -1
    const from = this.off[h]
    const to = this.off[c]
    this.u8.copyWithin(to, from, from + this.len[h])
    this.len[c] = this.len[h]
    this.inPort[c] = this.inPort[h]
    this.l3[c] = this.l3[h] === 0 ? 0 : this.l3[h] - from + to
    this.l4[c] = this.l4[h] === 0 ? 0 : this.l4[h] - from + to
    this.vnetFlags[c] = this.vnetFlags[h]
    this.gsoType[c] = this.gsoType[h]
    this.gsoSize[c] = this.gsoSize[h]
    this.csumStart[c] = this.csumStart[h]
    this.csumOffset[c] = this.csumOffset[h]
    return c
  }

  /** A new packet holding `frame` (control path: injected frames, tests), or -1 when it cannot be held. */
  fromBytes(frame: Uint8Array, inPort = 0): number {
    if (frame.length > MAX_FRAME) return -1
    const h = this.alloc()
    if (h < 0) return -1
    this.u8.set(frame, this.off[h])
    this.len[h] = frame.length
    this.inPort[h] = inPort
    return h
  }

  /** The frame's bytes in place; valid while the caller owns the handle. Allocates a view: control path only. */
  bytes(h: number): Uint8Array {
    return this.u8.subarray(this.off[h], this.off[h] + this.len[h])
  }
}
