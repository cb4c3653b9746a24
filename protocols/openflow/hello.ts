/** HELLO with its version bitmap (OpenFlow 1.3.1 §7.5.1). */

export interface Hello {
  /** 1 << version for each version that is offered; from the header's version alone where no bitmap came. */
  versions: number
}
