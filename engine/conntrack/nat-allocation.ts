/** How an internal endpoint comes by its mapping. */
import type { AddressRange } from '../dpif.ts'
import type { Conntrack } from './conntrack.ts'
import type { NatMappings } from './nat-mapping.ts'
import type { NatPool, NatRules, SourceRule } from './nat-rules.ts'
import { PROTO_TCP } from './tuple.ts'

/** Half-open connections looked at for one whose port could be had. */
const MAX_CANDIDATES = 64

export function inRanges(ranges: readonly AddressRange[], address: number): boolean {
  for (const r of ranges) if (address >= r.first && address <= r.last) return true
  return false
}

/**
 * The mapping of an internal endpoint, made if need be. One that a forwarding rule leads to goes out under the
 * address and port of that rule. When ports have run out, mappings in use are kept and the new one is refused
 * (-1); only a TCP connection that is still half open gives way, so that a SYN flood cannot hold all ports.
 */
export function obtainMapping(
  conntrack: Conntrack,
  zone: number,
  mappings: NatMappings,
  rules: NatRules,
  rule: SourceRule,
  pool: NatPool,
  proto: number,
  address: number,
  port: number,
): number {
  for (const forwarding of rules.destinations) {
    const external = forwarding.reverse(proto, address, port)
    if (external < 0 || !inRanges(pool.ranges, forwarding.address)) continue
    const at = mappings.obtainAt(pool, proto, address, port, forwarding.address, external, rule.filter)
    if (at >= 0) return at
  }
  const mapping = mappings.obtain(pool, proto, address, port, rule.filter)
  if (mapping >= 0 || proto !== PROTO_TCP) return mapping
  if (!freePort(conntrack, zone, mappings, pool, address)) return mapping
  return mappings.obtain(pool, proto, address, port, rule.filter)
}

/** Ends the oldest half-open TCP connection whose port the host could have. */
function freePort(
  conntrack: Conntrack,
  zone: number,
  mappings: NatMappings,
  pool: NatPool,
  address: number,
): boolean {
  const paired = mappings.pairedAddress(pool, address)
  let c = conntrack.oldestHalfOpen(zone)
  for (let i = 0; c >= 0 && i < MAX_CANDIDATES; i++, c = conntrack.nextHalfOpen(c)) {
    const m = conntrack.ownerA(c)
    if (m < 0 || mappings.poolId(m) !== pool.id || mappings.references(m) !== 1) continue
    if (paired !== 0 && mappings.externalAddress(m) !== paired) continue
    conntrack.remove(c)
    conntrack.zone(zone).evicted++
    return true
  }
  return false
}
