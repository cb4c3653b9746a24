/** What a change of rules means for what already exists. */
import type { NatRouter } from '../router/nat-engine.ts'
import type { Conntrack } from './conntrack.ts'
import { inRanges } from './nat-allocation.ts'
import type { NatRules } from './nat-rules.ts'
import type { PortSet } from './port-set.ts'
import { destinationOf, PROTO_ICMP, PROTO_UDP, sourceOf } from './tuple.ts'

/** Marks the ports of an external address that forwardings and the router's own services answer on. */
export function reservePorts(
  rules: NatRules,
  router: NatRouter,
  proto: number,
  address: number,
  ports: PortSet,
): void {
  for (const rule of rules.destinations) {
    const range = rule.address === address ? rule.reserved(proto) : undefined
    if (range !== undefined) ports.reserve(range.first, range.last)
  }
  if (proto !== PROTO_UDP) return
  for (const i of router.spec.interfaces) {
    if (!i.addresses.some((a) => a.address === address)) continue
    for (const port of i.services) ports.reserve(port, port)
  }
}

/** Whether the present rules would translate a connection as it is translated. */
export function stillAllowed(ct: Conntrack, rules: NatRules, router: NatRouter, c: number): boolean {
  const proto = ct.proto(c)
  const original = c << 1
  const reply = original | 1
  const src = ct.src(original)
  const dst = ct.dst(original)
  const port = destinationOf(proto, ct.tp(original))
  const to = ct.src(reply)
  const toPort = sourceOf(ct.tp(reply))
  if (ct.ownerB(c) >= 0) {
    if (!mayMap(rules, router, proto, to, src, dst, port)) return false
  } else if (dst !== to || (proto !== PROTO_ICMP && port !== toPort)) {
    if (!rules.destinations.some((r) => r.leads(proto, dst, port, to, toPort))) return false
  }
  if (ct.ownerA(c) < 0) return true
  const external = ct.dst(reply)
  const externalPort = destinationOf(proto, ct.tp(reply))
  return (
    mayMap(rules, router, proto, src, to, external, externalPort) ||
    mayMap(rules, router, proto, src, dst, external, externalPort)
  )
}

/** Whether some rule would give `src`, sending to `dst`, this external address and port. */
function mayMap(
  rules: NatRules,
  router: NatRouter,
  proto: number,
  src: number,
  dst: number,
  external: number,
  port: number,
): boolean {
  for (const i of router.spec.interfaces) {
    const out = router.interfaceIndex(i.name)
    const pool = rules.source(proto, src, dst, out)?.poolFor(router.addressOf(out))
    if (pool === undefined || !inRanges(pool.ranges, external)) continue
    if (proto === PROTO_ICMP || (port >= pool.firstPort && port <= pool.lastPort)) return true
    if (rules.destinations.some((r) => r.address === external && r.to === src)) return true
  }
  return false
}
