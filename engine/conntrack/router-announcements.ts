/** Helpers of a router's NAT: which connections have one, and what they have announced. */
import type { Instant } from '../../protocols/time.ts'
import { HELP_TRANSLATE, OP_HELP } from '../actions/ops.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import type { RouterHost } from '../router/router-host.ts'
import type { Conntrack } from './conntrack.ts'
import type { Expectation } from './expectations.ts'
import type { HelpedZone, HelperName } from './helpers.ts'
import type { NatMappings } from './nat-mapping.ts'
import { PROTO_TCP, PROTO_UDP } from './tuple.ts'

const FTP = 21
const TFTP = 69
/** Ports tried for one that is nobody's mapping. */
const MAX_TRIES = 32

export class RouterAnnouncements implements HelpedZone {
  readonly #host: RouterHost
  readonly #conntrack: Conntrack
  readonly #zone: number
  readonly #mappings: NatMappings

  constructor(host: RouterHost, conntrack: Conntrack, zone: number, mappings: NatMappings) {
    this.#host = host
    this.#conntrack = conntrack
    this.#zone = zone
    this.#mappings = mappings
  }

  /** What a packet of no connection was announced as, if it was. */
  find(x: Xlate, proto: number, src: number, dst: number, port: number): Expectation | undefined {
    if (proto !== PROTO_TCP && proto !== PROTO_UDP) return undefined
    x.tag(this.#tag(proto, src, dst, port))
    const { expectations } = this.#conntrack.helpers
    return expectations.find(this.#zone, proto, src, dst, port, this.#host.now)
  }

  /** A connection has come about; it gets the helper that its destination port asks for. */
  begun(connection: number, expected: Expectation | undefined, allowed: readonly HelperName[]): void {
    const ct = this.#conntrack
    if (expected !== undefined) {
      ct.helpers.expectations.remove(expected)
      ct.setExpected(connection)
    }
    const port = ct.tp(connection << 1) & 0xffff
    const proto = ct.proto(connection)
    const name =
      proto === PROTO_TCP && port === FTP ? 'ftp' : proto === PROTO_UDP && port === TFTP ? 'tftp' : ''
    if (name !== '' && allowed.includes(name)) ct.helpers.attach(connection, name, this)
  }

  /** Has the program show a packet to its helper: last, when nothing will send it on another way any more. */
  help(x: Xlate, entry: number): void {
    if (!this.#conntrack.helped(entry >>> 1)) return
    x.program.op3(OP_HELP, entry >>> 1, (entry & 1) | HELP_TRANSLATE, -1)
    x.irreversible++
  }

  addresses(entry: number): Uint32Array {
    const ct = this.#conntrack
    return Uint32Array.of(ct.src(entry), 0, 0, 0, ct.dst(entry), 0, 0, 0)
  }

  isIpv6(): boolean {
    return false
  }

  expect(connection: number, direction: number, port: number, told: number, now: Instant): number {
    const ct = this.#conntrack
    const comes = (connection << 1) | (direction ^ 1)
    const answered = (connection << 1) | direction
    const proto = ct.proto(connection)
    const src = ct.src(comes)
    const dst = ct.dst(comes)
    const replySrc = ct.src(answered)
    let seen = told < 0 ? port : told
    // Somebody else's mapping must not be announced; a port nearby will do as well.
    for (let i = 0; told < 0 && i < MAX_TRIES && dst !== replySrc && this.#isTaken(proto, dst, seen); i++) {
      seen = seen === 0xffff ? 1024 : seen + 1
    }
    const zone = this.#zone
    const reply = { replySrc, replyDst: ct.dst(answered), replyPort: port }
    ct.helpers.expectations.add({ zone, proto, src, dst, port: seen, master: connection, ...reply }, now)
    this.#host.touch(this.#tag(proto, src, dst, seen))
    return seen
  }

  #isTaken(proto: number, address: number, port: number): boolean {
    return this.#mappings.findExternal(proto, address, port) >= 0
  }

  #tag(proto: number, src: number, dst: number, port: number): number {
    return this.#conntrack.tupleTag(this.#zone, proto, src, dst, port)
  }
}
