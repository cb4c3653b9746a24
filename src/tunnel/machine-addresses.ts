import { networkInterfaces } from 'node:os'
import { type IpPrefix, parseIpPrefix } from './ip-prefix.ts'

/** The addresses of a device of the machine. */
export function machineAddresses(device: string): IpPrefix[] {
  const cidrs = (networkInterfaces()[device] ?? []).map(({ cidr }) => cidr)
  return cidrs.map((cidr) => parseIpPrefix(cidr ?? '')).filter((prefix) => prefix !== undefined)
}
