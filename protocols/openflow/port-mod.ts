/** Port-mod: a controller changes a port's configuration. */

export interface PortMod {
  port: number
  /** Must be the port's own. Six bytes. */
  hwAddr: Uint8Array
  /** PC_*: new values where `mask` has 1s. */
  config: number
  mask: number
  /** PF_* to advertise; 0 for no change. */
  advertise: number
}
