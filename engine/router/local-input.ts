/**
 * Datagrams for the router itself: echo, the services behind its interfaces, and a refusal for everything else
 * (RFC 1812 §4.3.3.6, §5.2.7.1; RFC 9293 §3.10.7.1).
 */

import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as icmp from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import * as udp from '../../protocols/wire/udp.ts'
import {
  DROP_NO_CELLS,
  DROP_ROUTER_BAD_CHECKSUM,
  DROP_ROUTER_BAD_HEADER,
  DROP_ROUTER_ICMP_RATE,
  DROP_ROUTER_NO_SERVICE,
  DROP_SLOW_BUSY,
} from '../drops.ts'
import { GSO_NONE } from '../memory/packet-pool.ts'
import { finishChecksum } from '../netdev/checksum-offload.ts'
import { CLASS_UNICAST, isOwn } from './address-class.ts'
import type { IcmpErrors } from './icmp-error.ts'
import type { RouterInterface } from './interface.ts'
import { DEFAULT_TTL, type LocalOutput } from './local-output.ts'
import { recordOptions } from './options.ts'
import type { RouterHost } from './router-host.ts'

const EMPTY = new Uint8Array(0)

export class LocalInput {
  readonly #host: RouterHost
  readonly #output: LocalOutput
  readonly #errors: IcmpErrors

  constructor(host: RouterHost, output: LocalOutput, errors: IcmpErrors) {
    this.#host = host
    this.#output = output
    this.#errors = errors
  }

  /** Takes in a whole datagram with a good header that reached `iface`. The packet stays the caller's. */
  receive(iface: RouterInterface, h: number): void {
    const { pool } = this.#host
    const b = pool.u8
    const ip = pool.off[h] + ethernet.HEADER_LEN
    if (!ipv4.check(b, ip, pool.off[h] + pool.len[h])) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, h)
      return
    }
    switch (ipv4.protocol(b, ip)) {
      case ipv4.PROTO_ICMP:
        this.#icmp(iface, h, ip)
        break
      case ipv4.PROTO_UDP:
        this.#udp(iface, h, ip)
        break
      case ipv4.PROTO_TCP:
        this.#tcp(iface, h, ip)
        break
      default:
        this.#refuse(iface, h, icmp.PROTOCOL_UNREACHABLE)
    }
  }

  #icmp(iface: RouterInterface, h: number, ip: number): void {
    const b = this.#host.pool.u8
    const message = ipv4.payload(b, ip)
    const end = ipv4.end(b, ip)
    if (!icmp.check(b, message, end)) this.#host.drop(DROP_ROUTER_BAD_HEADER, h)
    else if (!icmp.verifyChecksum(b, message, end)) this.#host.drop(DROP_ROUTER_BAD_CHECKSUM, h)
    else if (icmp.type(b, message) !== icmp.ECHO_REQUEST) this.#host.drop(DROP_ROUTER_NO_SERVICE, h)
    else this.#echo(iface, h)
  }

  /** The reply is the request with its addresses exchanged: data, TOS and options come back as they came. */
  #echo(iface: RouterInterface, h: number): void {
    const { pool, now } = this.#host
    const c = pool.clone(h)
    if (c < 0) {
      this.#host.drop(DROP_NO_CELLS, h)
      return
    }
    const b = pool.u8
    const ip = pool.off[c] + ethernet.HEADER_LEN
    const asked = ipv4.dst(b, ip)
    const asker = ipv4.src(b, ip)
    ipv4.emit(
      {
        src: asked,
        dst: asker,
        protocol: ipv4.PROTO_ICMP,
        ttl: DEFAULT_TTL,
        payloadLength: ipv4.totalLength(b, ip) - ipv4.headerLength(b, ip),
        tos: ipv4.tos(b, ip),
        identification: this.#output.nextIdentification(),
        options: b.slice(ip + ipv4.HEADER_LEN, ipv4.payload(b, ip)),
      },
      b,
      ip,
    )
    recordOptions(b, ip, asked, now)
    icmp.rewriteType(b, ipv4.payload(b, ip), icmp.ECHO_REPLY)
    pool.len[c] = ethernet.HEADER_LEN + ipv4.totalLength(b, ip)
    pool.vnetFlags[c] = 0
    this.#output.send(iface.router, c)
  }

  #udp(iface: RouterInterface, h: number, ip: number): void {
    const host = this.#host
    const { pool } = host
    const b = pool.u8
    const o = ipv4.payload(b, ip)
    const end = ipv4.end(b, ip)
    if (!udp.check(b, o, end)) {
      host.drop(DROP_ROUTER_BAD_HEADER, h)
      return
    }
    const pseudo = pseudoHeader4(ipv4.src(b, ip), ipv4.dst(b, ip), ipv4.PROTO_UDP, udp.length(b, o))
    if (pool.vnetFlags[h] === 0 && !udp.verifyChecksum(b, o, pseudo)) {
      host.drop(DROP_ROUTER_BAD_CHECKSUM, h)
      return
    }
    const server = serverFor(iface, ipv4.dst(b, ip), udp.dstPort(b, o))
    if (server === undefined || pool.gsoType[h] !== GSO_NONE) {
      this.#refuse(iface, h, icmp.PORT_UNREACHABLE)
      return
    }
    if (!server.serviceBucket.take(host.now)) {
      host.drop(DROP_SLOW_BUSY, h)
      return
    }
    finishChecksum(pool, h)
    const at = pool.off[h]
    if (!host.service(server.index, server.serviceAddress, b, at, end - at)) host.drop(DROP_SLOW_BUSY, h)
  }

  #tcp(iface: RouterInterface, h: number, ip: number): void {
    const host = this.#host
    const { pool } = host
    const b = pool.u8
    const o = ipv4.payload(b, ip)
    const end = ipv4.end(b, ip)
    if (!tcp.check(b, o, end)) {
      host.drop(DROP_ROUTER_BAD_HEADER, h)
      return
    }
    const pseudo = pseudoHeader4(ipv4.src(b, ip), ipv4.dst(b, ip), ipv4.PROTO_TCP, end - o)
    if (pool.vnetFlags[h] === 0 && !tcp.verifyChecksum(b, o, end, pseudo)) {
      host.drop(DROP_ROUTER_BAD_CHECKSUM, h)
      return
    }
    const sent = (tcp.flags(b, o) & tcp.RST) !== 0 || this.#reset(iface, ip, o, end)
    host.drop(sent ? DROP_ROUTER_NO_SERVICE : DROP_ROUTER_ICMP_RATE, h)
  }

  /** RFC 9293 §3.10.7.1: any segment to a connection that does not exist is answered with a reset. */
  #reset(iface: RouterInterface, ip: number, o: number, end: number): boolean {
    const { pool, now } = this.#host
    const { router } = iface
    const b = pool.u8
    const from = ipv4.dst(b, ip)
    const to = ipv4.src(b, ip)
    if (!isOwn(router.classes.lookup(from)) || router.classes.lookup(to) !== CLASS_UNICAST) return true
    if (!router.errors.take(now)) return false
    const c = pool.alloc()
    if (c < 0) return true
    const flags = tcp.flags(b, o)
    const acked = (flags & tcp.ACK) !== 0
    const occupied =
      end - o - tcp.headerLength(b, o) + ((flags & tcp.SYN) !== 0 ? 1 : 0) + ((flags & tcp.FIN) !== 0 ? 1 : 0)
    const at = pool.off[c] + ethernet.HEADER_LEN
    const segment = at + ipv4.HEADER_LEN
    ipv4.emit(
      {
        src: from,
        dst: to,
        protocol: ipv4.PROTO_TCP,
        ttl: DEFAULT_TTL,
        payloadLength: tcp.HEADER_LEN,
        dontFragment: true,
        identification: this.#output.nextIdentification(),
      },
      b,
      at,
    )
    tcp.emit(
      {
        srcPort: tcp.dstPort(b, o),
        dstPort: tcp.srcPort(b, o),
        seq: acked ? tcp.ackNumber(b, o) : 0,
        ack: acked ? 0 : (tcp.seq(b, o) + occupied) >>> 0,
        flags: acked ? tcp.RST : tcp.RST | tcp.ACK,
        window: 0,
        urgentPointer: 0,
        options: EMPTY,
      },
      b,
      segment,
    )
    tcp.fillChecksum(
      b,
      segment,
      segment + tcp.HEADER_LEN,
      pseudoHeader4(from, to, ipv4.PROTO_TCP, tcp.HEADER_LEN),
    )
    pool.len[c] = ethernet.HEADER_LEN + ipv4.HEADER_LEN + tcp.HEADER_LEN
    this.#output.send(router, c)
    return true
  }

  #refuse(iface: RouterInterface, h: number, code: number): void {
    const told = this.#errors.about(iface.index, h, icmp.DESTINATION_UNREACHABLE, code, 0)
    this.#host.drop(told ? DROP_ROUTER_NO_SERVICE : DROP_ROUTER_ICMP_RATE, h)
  }
}

/** The interface whose service a datagram is for: that which it came by, or that whose address it was sent to. */
function serverFor(iface: RouterInterface, destination: number, port: number): RouterInterface | undefined {
  if (iface.spec.services.includes(port)) return iface
  const owner = iface.router.ownerOf(destination)
  return owner?.spec.services.includes(port) ? owner : undefined
}
