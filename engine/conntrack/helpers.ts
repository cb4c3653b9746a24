/**
 * Helpers: what reads the payload of control connections, so that the connections they announce are expected,
 * and the addresses they announce are those that the other end can reach. FTP (RFC 959, RFC 2428) and TFTP
 * (RFC 1350), as Open vSwitch's and Linux's helpers of those names.
 *
 * Only connections that a helper was given come here; to all others nothing of this costs anything.
 */
import { type DataEndpoint, formatDataEndpoint } from '../../protocols/ftp/data-endpoint.ts'
import type { Instant } from '../../protocols/time.ts'
import { isRequest } from '../../protocols/wire/tftp.ts'
import { HEADER_LEN as UDP_HEADER } from '../../protocols/wire/udp.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { Conntrack } from './conntrack.ts'
import { Expectations } from './expectations.ts'
import { type EndpointSink, FtpStream, HELP_PASS } from './ftp-stream.ts'
import { TcpPacket } from './tcp-packet.ts'

export type HelperName = 'ftp' | 'tftp'

/** Connections with a helper at the most; further ones go without. */
const MAX_HELPED = 4096

/** Whose zone a helped connection is in. */
export interface HelpedZone {
  /** Four words each of source and destination (of IPv4 the first), as packets of an entry have them. */
  addresses(entry: number): Uint32Array
  isIpv6(connection: number): boolean
  /**
   * The peer of whoever sends in `direction` will connect to a port of the sender's.
   * @param port as the sender knows it
   * @param told as the peer knows it, or -1 where that is to be chosen
   * @returns the port to tell the peer
   */
  expect(connection: number, direction: number, port: number, told: number, now: Instant): number
}

interface Helped {
  readonly name: HelperName
  readonly zone: HelpedZone
  /** FTP: by direction. */
  readonly streams: readonly [FtpStream, FtpStream]
}

export class Helpers {
  readonly expectations = new Expectations()
  readonly #conntrack: Conntrack
  readonly #helped = new Map<number, Helped>()

  constructor(conntrack: Conntrack) {
    this.#conntrack = conntrack
  }

  /** Gives a new connection a helper. */
  attach(connection: number, name: HelperName, zone: HelpedZone): void {
    if (this.#helped.size >= MAX_HELPED) return
    this.#helped.set(connection, { name, zone, streams: [new FtpStream(), new FtpStream()] })
    this.#conntrack.setHelped(connection)
  }

  /** The connection goes. */
  forget(connection: number): void {
    this.#helped.delete(connection)
    this.expectations.forget(connection)
  }

  /** What the peer's acknowledgment, sent in `direction`, means to the sender that it acknowledges. */
  acknowledged(connection: number, direction: number, ack: number): number {
    return this.#helped.get(connection)?.streams[direction ^ 1].edits.toSender(ack) ?? ack
  }

  /**
   * Shows a packet to the helper of its connection, its addresses as it arrived. The packet may be changed.
   * @param translate whether addresses in the payload follow NAT
   * @returns HELP_*
   */
  help(
    connection: number,
    direction: number,
    translate: boolean,
    pool: PacketPool,
    h: number,
    now: Instant,
  ): number {
    const helped = this.#helped.get(connection)
    if (helped === undefined) return HELP_PASS
    if (helped.name === 'tftp') {
      this.#tftp(helped, connection, direction, pool, h, now)
      return HELP_PASS
    }
    const packet = new TcpPacket(pool, h)
    if (!packet.isSound) return HELP_PASS
    const back = helped.streams[direction ^ 1].edits
    const verdict = helped.streams[direction].segment(
      packet,
      sinkOf(helped.zone, connection, direction, translate, now),
    )
    if (verdict !== HELP_PASS) return verdict
    if (!back.none) packet.mapAcks((ack) => back.toSender(ack))
    packet.seal()
    return HELP_PASS
  }

  /** The server answers a request from a port of its own choice (RFC 1350 §4). */
  #tftp(
    { zone }: Helped,
    connection: number,
    direction: number,
    pool: PacketPool,
    h: number,
    now: Instant,
  ): void {
    const payload = pool.l4[h] + UDP_HEADER
    if (direction !== 0 || !isRequest(pool.u8, payload, pool.off[h] + pool.len[h])) return
    const ct = this.#conntrack
    zone.expect(connection, 0, ct.tp(connection << 1) >>> 16, ct.tp((connection << 1) | 1) & 0xffff, now)
  }
}

function sinkOf(
  zone: HelpedZone,
  connection: number,
  direction: number,
  translate: boolean,
  now: Instant,
): EndpointSink {
  const bytes = (entry: number, at: number): Uint8Array => {
    const words = zone.addresses(entry).subarray(at, at + (zone.isIpv6(connection) ? 4 : 1))
    return Uint8Array.from([...words].flatMap((w) => [w >>> 24, w >>> 16, w >>> 8, w]))
  }
  const entry = (connection << 1) | direction
  const own = bytes(entry, 0)
  const known = bytes(entry ^ 1, 4)
  return {
    translates: translate && !equal(own, known),
    announced(endpoint: DataEndpoint): string | undefined {
      const { address } = endpoint
      // Nobody may have connections made to somebody else (RFC 2577 §3).
      if (address.length > 0 && !equal(address, own) && !equal(address, known)) return undefined
      const port = zone.expect(connection, direction, endpoint.port, -1, now)
      return formatDataEndpoint(endpoint, known, port)
    },
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
