/** How the datapath's flow text writes one member of an attribute: `name=value`, with `/mask` where part counts. */
import { formatIpv6 } from '../openflow/text/address.ts'
import { formatHash } from '../openflow/text/scan.ts'
import { formatMac } from '../wire/ethernet.ts'
import { formatIpv4 } from '../wire/ipv4.ts'

/** Whether members of which no bit counts are written, too (`-m`). */
export type Verbose = boolean

/** `name=value`, or undefined when nothing of it counts. */
export type Member = string | undefined

function masked(
  name: string,
  value: string,
  mask: string,
  exact: boolean,
  any: boolean,
  verbose: Verbose,
): Member {
  if (any && !verbose) return undefined
  return `${name}=${value}${exact ? '' : `/${mask}`}`
}

export function decimal(name: string, value: number, mask: number, whole: number, verbose: Verbose): Member {
  return masked(name, String(value), formatHash(mask), mask === whole, mask === 0, verbose)
}

export function hexadecimal(
  name: string,
  value: number,
  mask: number,
  whole: number,
  verbose: Verbose,
): Member {
  return masked(name, formatHash(value), formatHash(mask), mask === whole, mask === 0, verbose)
}

export function ipv4Text(name: string, value: number, mask: number, verbose: Verbose): Member {
  return masked(name, formatIpv4(value), formatIpv4(mask), mask === 0xffff_ffff, mask === 0, verbose)
}

export function ipv6Text(name: string, value: Uint8Array, mask: Uint8Array, verbose: Verbose): Member {
  const exact = mask.every((b) => b === 0xff)
  const any = mask.every((b) => b === 0)
  return masked(name, formatIpv6(value), formatIpv6(mask), exact, any, verbose)
}

/** @param value a 48-bit number */
export function macText(name: string, value: number, mask: number, verbose: Verbose): Member {
  return masked(name, formatMac(value), formatMac(mask), mask === 0xffff_ffff_ffff, mask === 0, verbose)
}

/** An attribute, if any member of it is written. */
export function attribute(name: string, members: readonly Member[]): Member {
  const written = members.filter((member) => member !== undefined)
  return written.length === 0 ? undefined : `${name}(${written.join(',')})`
}
