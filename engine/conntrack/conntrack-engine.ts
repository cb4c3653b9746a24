/** Connection tracking and NAT of all routers of a datapath. */
import { earlier, type Instant, SECOND } from '../../protocols/time.ts'
import type { ConnectionRow, Page } from '../dpif.ts'
import { DROP_NAT_NO_MAPPING, DROP_ROUTER_BAD_CHECKSUM } from '../drops.ts'
import type { NatEngine, NatRouter } from '../router/nat-engine.ts'
import type { NatStage } from '../router/nat-stage.ts'
import type { RouterHost } from '../router/router-host.ts'
import { Conntrack } from './conntrack.ts'
import { ERROR_BAD, ERROR_TRANSLATED, translateIcmpError } from './icmp-error.ts'
import { RouterNat } from './router-nat.ts'
import { destinationOf, PROTO_ICMP, PROTO_TCP, sourceOf } from './tuple.ts'
import type { PortUnreachable } from './unsolicited-syns.ts'

/** Rows in one page of a dump. */
const PAGE = 1000

interface Member {
  router: NatRouter
  readonly nat: RouterNat
}

export class ConntrackEngine implements NatEngine {
  readonly conntrack: Conntrack
  portUnreachable: PortUnreachable = () => {}
  readonly #host: RouterHost
  readonly #members = new Map<string, Member>()

  constructor(host: RouterHost) {
    this.#host = host
    this.conntrack = new Conntrack(host, host.random())
  }

  put(router: NatRouter): NatStage | undefined {
    const { name } = router.spec
    if (router.spec.nat.length === 0) {
      this.delete(name)
      return undefined
    }
    const member = this.#members.get(name)
    if (member !== undefined) {
      member.router = router
      member.nat.configure(router)
      return member.nat
    }
    const nat = new RouterNat(this.#host, this.conntrack, router, (h, iface) =>
      this.portUnreachable(h, iface),
    )
    this.#members.set(name, { router, nat })
    return nat
  }

  delete(name: string): void {
    this.#members.get(name)?.nat.close()
    this.#members.delete(name)
  }

  track(connection: number, direction: number, h: number): boolean {
    return this.conntrack.packet(connection, direction, this.#host.pool, h, this.#host.now)
  }

  icmpError(h: number, iface: number): boolean {
    const member = this.#behind(iface)
    if (member === undefined) return true
    const { nat } = member
    const { pool } = this.#host
    const verdict = translateIcmpError(this.conntrack, nat.zone, pool, h)
    if (verdict === ERROR_TRANSLATED) return true
    if (verdict === ERROR_BAD) {
      this.#host.drop(DROP_ROUTER_BAD_CHECKSUM, h)
      return false
    }
    // RFC 5508 REQ-4, REQ-5: about no session of ours, it passes only where no translation is due.
    const ip = pool.off[h] + 14
    const src = pool.dv.getUint32(ip + 12)
    const dst = pool.dv.getUint32(ip + 16)
    const hidden = nat.rules.source(PROTO_ICMP, src, dst, nat.rules.interfaceTowards(dst)) !== undefined
    if ((hidden && !nat.rules.isOwn(dst)) || nat.owns(dst)) {
      this.#host.drop(DROP_NAT_NO_MAPPING, h)
      return false
    }
    return true
  }

  poll(now: Instant): void {
    this.conntrack.poll(now)
    for (const { nat } of this.#members.values()) nat.poll(now)
  }

  pollAt(): Instant | undefined {
    let at = this.conntrack.pollAt()
    for (const { nat } of this.#members.values()) at = earlier(at, nat.pollAt())
    return at
  }

  connections(router: string, from: number): Page<ConnectionRow> {
    const nat = this.#members.get(router)?.nat
    const rows: ConnectionRow[] = []
    if (nat === undefined) return { rows, next: undefined }
    const ct = this.conntrack
    for (let c = from; c < ct.end; c++) {
      if (!ct.exists(c) || ct.zoneOf(c) !== nat.zone) continue
      if (rows.length === PAGE) return { rows, next: c }
      rows.push(this.#row(router, c))
    }
    return { rows, next: undefined }
  }

  connectionsFlush(router: string): void {
    const nat = this.#members.get(router)?.nat
    if (nat !== undefined) this.conntrack.flush(nat.zone)
  }

  connectionCount(): number {
    return this.conntrack.count
  }

  #behind(iface: number): Member | undefined {
    for (const member of this.#members.values()) {
      const { spec } = member.router
      if (spec.interfaces.some((i) => member.router.interfaceIndex(i.name) === iface)) return member
    }
    return undefined
  }

  #row(router: string, c: number): ConnectionRow {
    const ct = this.conntrack
    const proto = ct.proto(c)
    const tuple = (entry: number): ConnectionRow['original'] => {
      const tp = ct.tp(entry)
      return [ct.src(entry), sourceOf(tp), ct.dst(entry), destinationOf(proto, tp)]
    }
    return {
      router,
      protocol: proto === PROTO_TCP ? 'tcp' : proto === PROTO_ICMP ? 'icmp' : 'udp',
      state: ct.stateName(c),
      expires: Math.max(0, Math.round((ct.expiresAt(c) - this.#host.now) / SECOND)),
      original: tuple(c << 1),
      reply: tuple((c << 1) | 1),
    }
  }
}
