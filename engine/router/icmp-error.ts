/**
 * ICMP errors about forwarded and received datagrams: RFC 1812 §4.3.2. Not every datagram may be answered with
 * one (§4.3.2.7), and not more than so many a second are sent (§4.3.2.8).
 */
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as icmp from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import { GSO_NONE } from '../memory/packet-pool.ts'
import { finishChecksum } from '../netdev/checksum-offload.ts'
import { CLASS_UNICAST, isOwn } from './address-class.ts'
import type { RouterInterface } from './interface.ts'
import { DEFAULT_TTL, type LocalOutput } from './local-output.ts'
import type { Router } from './router.ts'
import type { RouterHost } from './router-host.ts'

/** Internetwork control, the precedence of errors: RFC 1812 §4.3.2.5. */
const PRECEDENCE = 0xc0
/** The bits of TOS that are neither precedence nor must be zero. */
const TOS_BITS = 0x1e

export class IcmpErrors {
  readonly #host: RouterHost
  readonly #output: LocalOutput
  readonly #interfaces: readonly (RouterInterface | undefined)[]

  constructor(host: RouterHost, output: LocalOutput, interfaces: readonly (RouterInterface | undefined)[]) {
    this.#host = host
    this.#output = output
    this.#interfaces = interfaces
  }

  /**
   * Tells the sender of the datagram in frame `h`, which is as it reached interface `index`, what became of it,
   * if that is allowed. The packet stays the caller's.
   * @param rest the four bytes that depend on the type
   * @returns false when an error was due but there have been too many
   */
  about(index: number, h: number, type: number, code: number, rest: number): boolean {
    const host = this.#host
    const { pool } = host
    const b = pool.u8
    const router = this.#interfaces[index]?.router
    if (router === undefined || !mayBeAnswered(router, b, pool.off[h], pool.len[h])) return true
    const ip = pool.off[h] + ethernet.HEADER_LEN
    const to = ipv4.src(b, ip)
    const route = router.fib.lookup(to)
    if (route < 0) return true
    if (!router.errors.take(host.now)) return false

    const out = router.outOf(route)
    const asked = ipv4.dst(b, ip)
    // From the address that was asked, or that of the way the error takes: RFC 1812 §4.3.2.4.
    const from = isOwn(router.classes.lookup(asked)) ? asked : out.addressFor(router.nextHop(route, to))
    if (from === 0) return true
    const c = pool.alloc()
    if (c < 0) return true
    // The sender compares the quotation with what it sent, whose checksum it may have left to us.
    if (pool.gsoType[h] === GSO_NONE) finishChecksum(pool, h)
    const at = pool.off[c] + ethernet.HEADER_LEN
    const len = icmp.emitError(type, code, rest, b, ip, b, at + ipv4.HEADER_LEN)
    ipv4.emit(
      {
        src: from,
        dst: to,
        protocol: ipv4.PROTO_ICMP,
        ttl: DEFAULT_TTL,
        payloadLength: len,
        tos: PRECEDENCE | (ipv4.tos(b, ip) & TOS_BITS),
        identification: this.#output.nextIdentification(),
      },
      b,
      at,
    )
    pool.len[c] = ethernet.HEADER_LEN + ipv4.HEADER_LEN + len
    this.#output.transmit(out, router.nextHop(route, to), c)
    return true
  }
}

/** RFC 1812 §4.3.2.7, RFC 1122 §3.2.2. */
function mayBeAnswered(router: Router, b: Uint8Array, frame: number, frameLen: number): boolean {
  const ip = frame + ethernet.HEADER_LEN
  const end = frame + frameLen
  if (!ipv4.check(b, ip, end)) return false
  if ((b[frame] & 1) !== 0) return false
  if (ipv4.fragmentOffset(b, ip) !== 0) return false
  if (router.classes.lookup(ipv4.src(b, ip)) !== CLASS_UNICAST) return false
  const to = router.classes.lookup(ipv4.dst(b, ip))
  if (to !== CLASS_UNICAST && !isOwn(to)) return false
  if (ipv4.protocol(b, ip) !== ipv4.PROTO_ICMP) return true
  const message = ipv4.payload(b, ip)
  return message < ipv4.end(b, ip) && !icmp.isError(icmp.type(b, message))
}
