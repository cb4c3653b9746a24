/**
 * What kind of address an IPv4 address is to one router: somebody's, its own, a broadcast, or one that has no
 * business on a wire (RFC 1812 §5.3.7, RFC 1122 §3.2.1.3). One longest-prefix match answers, and tells which
 * bits it depended on.
 */
import { broadcast, network } from '../../protocols/wire/ipv4.ts'
import type { RouterSpec } from '../dpif.ts'
import { Fib } from './fib.ts'

/** An ordinary unicast address. `Fib.lookup` says -1. */
export const CLASS_UNICAST = -1
/** 0.0.0.0 itself: "this host", legal as a source before an address is known. */
export const CLASS_THIS_HOST = 0
/** The rest of 0/8, 127/8 and 240/4. */
export const CLASS_MARTIAN = 1
export const CLASS_MULTICAST = 2
/** 255.255.255.255. */
export const CLASS_LIMITED_BROADCAST = 3
/** Values from here on: CLASS_OWN + 2 * position of the interface, one more for a broadcast of its subnet. */
export const CLASS_OWN = 4

export function isOwn(value: number): boolean {
  return value >= CLASS_OWN && (value & 1) === 0
}

export function isSubnetBroadcast(value: number): boolean {
  return value >= CLASS_OWN && (value & 1) === 1
}

/** Position, in the router's spec, of the interface an own address or subnet broadcast belongs to. */
export function interfacePosition(value: number): number {
  return (value - CLASS_OWN) >>> 1
}

/** Builds the classification. Where things collide the first added stays: own addresses before broadcasts. */
export function addressClasses(spec: RouterSpec): Fib {
  const classes = new Fib()
  spec.interfaces.forEach((iface, position) => {
    for (const { address } of iface.addresses) classes.add(address, 32, CLASS_OWN + 2 * position)
  })
  spec.interfaces.forEach((iface, position) => {
    for (const p of iface.addresses) {
      // RFC 3021: a /31 has no broadcast address.
      if (p.prefixLength >= 31) continue
      classes.add(broadcast(p), 32, CLASS_OWN + 2 * position + 1)
      // RFC 1812 §4.2.3.1: the network address is the broadcast of old.
      classes.add(network(p), 32, CLASS_OWN + 2 * position + 1)
    }
  })
  classes.add(0, 32, CLASS_THIS_HOST)
  classes.add(0, 8, CLASS_MARTIAN)
  classes.add(0x7f000000, 8, CLASS_MARTIAN)
  classes.add(0xe0000000, 4, CLASS_MULTICAST)
  classes.add(0xf0000000, 4, CLASS_MARTIAN)
  classes.add(0xffffffff, 32, CLASS_LIMITED_BROADCAST)
  return classes
}
