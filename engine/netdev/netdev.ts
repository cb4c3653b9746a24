/**
 * A device frames come from and go to. TAPs, AF_PACKET sockets, memory ports of simulations and whatever
 * wraps one of these (fault injection, capture) have this face and no other.
 */

/** Offloads a device accepts on output; a frame that needs one it lacks is finished in software first. */
export const OFFLOAD_CSUM = 1
export const OFFLOAD_TSO4 = 2
export const OFFLOAD_TSO6 = 4
export const OFFLOAD_USO = 8

/** Indices into `Netdev.stats`. Bytes count Ethernet frames without FCS. */
export const RX_PACKETS = 0
export const RX_BYTES = 1
export const RX_ERRORS = 2
export const RX_DROPPED = 3
export const TX_PACKETS = 4
export const TX_BYTES = 5
export const TX_ERRORS = 6
export const TX_DROPPED = 7
export const STAT_COUNT = 8
export const STAT_NAMES = [
  'rx_packets',
  'rx_bytes',
  'rx_errors',
  'rx_dropped',
  'tx_packets',
  'tx_bytes',
  'tx_errors',
  'tx_dropped',
] as const

/** Up: frames pass. Down: administratively down or no carrier. Gone: the device no longer exists. */
export type LinkState = 'up' | 'down' | 'gone'

export interface Netdev {
  readonly name: string
  /** Descriptor to poll for input, or -1 where there is nothing to poll. */
  readonly fd: number
  /** OFFLOAD_* bits. */
  readonly offloads: number
  /** Counters under the indices above. */
  readonly stats: Float64Array
  /** Largest frame the device takes without its 14-byte Ethernet header and VLAN tag, in bytes. */
  mtu: number
  readonly state: LinkState

  /**
   * Takes up to `max` waiting frames into cells of the pool it was made with, writes their handles to
   * `out[0…]` and returns their number. The caller owns them. Never blocks, never throws; a frame for
   * which there is no cell is counted in rx_dropped.
   */
  rx(out: Uint32Array, max: number): number

  /**
   * Sends a frame whose offload needs are within `offloads`. The bytes are taken, or dropped and counted,
   * before it returns; the handle stays the caller's. May overwrite the headroom.
   */
  tx(h: number): void

  /** Frames that `rx` has without asking the system, as far as is known without asking it. */
  readonly waiting: number

  /**
   * The end of a burst is near: gets ready what `flush` hands over, so that devices that can hand over together do.
   * @param more look for frames in the same system call, where that is possible; they are `waiting` after `flush`
   */
  prepare(more: boolean): void

  /** The end of a burst: hands over whatever `tx` only queued. */
  flush(): void

  /**
   * Looks whether the device is up, down or gone, and what its MTU is: about once a second, and whenever poll()
   * reports an error on `fd`. A device that is gone is to be taken out of the poll, which would report it for
   * ever.
   */
  refresh(): void

  /** Releases the device; what the device was is gone from the system if it was made by us. Idempotent. */
  close(): void
}
