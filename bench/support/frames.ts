import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as udp from '../../protocols/wire/udp.ts'

export interface UdpFrame {
  readonly dst: number
  readonly src: number
  readonly from: number
  readonly to: number
  readonly srcPort: number
  readonly dstPort: number
  /** Bytes of the whole frame without FCS; at least 64 here, as on a wire with it. */
  readonly size: number
  readonly vlan?: number
}

/** A UDP datagram in an Ethernet frame; no UDP checksum, as RFC 768 allows. */
export function udpFrame(f: UdpFrame): Uint8Array {
  const b = new Uint8Array(f.size)
  let o = ethernet.HEADER_LEN
  ethernet.emit({ dst: f.dst, src: f.src, type: f.vlan === undefined ? 0x0800 : 0x8100 }, b, 0)
  if (f.vlan !== undefined) {
    dot1q.emit({ tpid: 0x8100, vid: f.vlan, pcp: 0, dei: false, innerType: 0x0800 }, b, 12)
    o += dot1q.TAG_LEN
  }
  const payloadLength = f.size - o - ipv4.HEADER_LEN
  o += ipv4.emit({ src: f.from, dst: f.to, protocol: 17, ttl: 64, payloadLength }, b, o)
  udp.emit({ srcPort: f.srcPort, dstPort: f.dstPort, length: payloadLength }, b, o)
  return b
}
