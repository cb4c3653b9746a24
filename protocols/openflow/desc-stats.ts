/** Description of the switch. */

export interface SwitchDesc {
  manufacturer: string
  hardware: string
  software: string
  serial: string
  /** "datapath description" in the specification. */
  datapath: string
}
