import type { Dpif, PortKind } from '../../engine/dpif.ts'
import type { Ip } from './ip.ts'
import type { Ledger } from './ledger.ts'

/** What taking something back needs; there may be no dataplane any more. */
export interface Machine {
  readonly ip: Ip
  readonly ledger: Ledger
  /** Tells the person at the terminal that something is not as it should be. */
  readonly warn: (message: string) => void
}

export interface LabContext extends Machine {
  readonly dpif: Dpif
  /** What the TAP of each port was when it was made; MAC address and MTU may have been changed since. */
  readonly kinds: Map<string, PortKind>
}
