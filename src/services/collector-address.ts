/** Where IPFIX collectors are, as targets in ovs-vswitchd.conf.db(5): `IP[:PORT]`, IPv6 addresses in brackets. */
import { isIPv4, isIPv6 } from 'node:net'

/** RFC 7011 §10.3.4. */
const IPFIX_PORT = 4739

export interface CollectorAddress {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
}

const TARGET = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/

/** Undefined for what is no such address. */
export function parseCollector(target: string): CollectorAddress | undefined {
  const [, inBrackets, plain, digits] = TARGET.exec(target) ?? []
  const port = digits === undefined ? IPFIX_PORT : Number(digits)
  if (port < 1 || port > 65535) return undefined
  if (inBrackets !== undefined) return isIPv6(inBrackets) ? { host: inBrackets, port, family: 6 } : undefined
  return plain !== undefined && isIPv4(plain) ? { host: plain, port, family: 4 } : undefined
}
