/** What a port is: in features replies, port descriptions, port status. Bits are OpenFlow 1.1's and Open vSwitch's. */

/** Configuration that a controller sets with a port-mod. */
export const PC_PORT_DOWN = 1 << 0
export const PC_NO_STP = 1 << 1
export const PC_NO_RECV = 1 << 2
export const PC_NO_RECV_STP = 1 << 3
export const PC_NO_FLOOD = 1 << 4
export const PC_NO_FWD = 1 << 5
export const PC_NO_PACKET_IN = 1 << 6

export const PS_LINK_DOWN = 1 << 0
/** OpenFlow 1.1 and later. */
export const PS_BLOCKED = 1 << 1
export const PS_LIVE = 1 << 2
/** OpenFlow 1.0: two bits. */
export const PS_STP_LISTEN = 0 << 8
export const PS_STP_LEARN = 1 << 8
export const PS_STP_FORWARD = 2 << 8
export const PS_STP_BLOCK = 3 << 8
export const PS_STP_MASK = 3 << 8

/** Features: OFPPF_*. */
export const PF_10MB_HD = 1 << 0
export const PF_10MB_FD = 1 << 1
export const PF_100MB_HD = 1 << 2
export const PF_100MB_FD = 1 << 3
export const PF_1GB_HD = 1 << 4
export const PF_1GB_FD = 1 << 5
export const PF_10GB_FD = 1 << 6
export const PF_40GB_FD = 1 << 7
export const PF_100GB_FD = 1 << 8
export const PF_1TB_FD = 1 << 9
export const PF_OTHER = 1 << 10
export const PF_COPPER = 1 << 11
export const PF_FIBER = 1 << 12
export const PF_AUTONEG = 1 << 13
export const PF_PAUSE = 1 << 14
export const PF_PAUSE_ASYM = 1 << 15

export interface PortDesc {
  /** 1 to 0xfeff, or OFPP_LOCAL. */
  port: number
  /** Six bytes. */
  hwAddr: Uint8Array
  /** At most 15 bytes go on the wire (63 from 1.4 on as Open vSwitch's extension does not exist: 15 too). */
  name: string
  /** PC_* */
  config: number
  /** PS_* */
  state: number
  /** PF_* */
  curr: number
  advertised: number
  supported: number
  peer: number
  /** kbit/s; 0 for unknown. Not in OpenFlow 1.0. */
  currSpeed: number
  maxSpeed: number
}
