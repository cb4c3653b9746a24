import type { Instant } from '../time.ts'

/** What outlives the process: a lease as the journal keeps it. Whoever has the last word on an address wins. */
export interface LeaseRecord {
  readonly address: number
  /**
   * `bound` until `expires`; `released` by the client, who may come back to it; `declined`: in use by a
   * stranger, set aside until `expires`.
   */
  readonly state: 'bound' | 'released' | 'declined'
  /** Infinity for a lease that never ends. */
  readonly expires: Instant
  readonly htype: number
  readonly chaddr: Uint8Array
  /** Data of the client identifier option, if the client sends one. */
  readonly clientId: Uint8Array | undefined
  /** As the client calls itself, printable. */
  readonly hostname: string
}
