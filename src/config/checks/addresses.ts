import { parseMac } from '../../../protocols/wire/ethernet.ts'
import { broadcast, formatIpv4, formatPrefix, network, type Prefix } from '../../../protocols/wire/ipv4.ts'
import { isMulticastMac, isSubnetEdge, isUnicast, parsePrefix, subnetOf } from '../address.ts'
import type { Path } from '../config-error.ts'
import type { Reporter } from './reporter.ts'

/** The address of an interface, if it is one that an interface can have. */
export function interfaceAddress(text: unknown, path: Path, report: Reporter): Prefix | undefined {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return undefined
  if (!isUnicast(prefix.address)) {
    report.value(path, 'an address that a host can have: not of 0.0.0.0/8, 127.0.0.0/8 or 224.0.0.0/3')
    return undefined
  }
  if (isSubnetEdge(prefix)) {
    const subnet = formatPrefix(subnetOf(prefix))
    const which = prefix.address === network(prefix) ? 'network' : 'broadcast'
    report.value(
      path,
      `an address between ${formatIpv4(network(prefix) + 1)} and ${formatIpv4(broadcast(prefix) - 1)} (this is the ${which} address of ${subnet})`,
    )
    return undefined
  }
  return prefix
}

/** A destination or selector: a subnet without host bits. */
export function checkSubnet(text: unknown, path: Path, report: Reporter): Prefix | undefined {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return undefined
  const subnet = subnetOf(prefix)
  if (subnet.address !== prefix.address) {
    report.value(path, `"${formatPrefix(subnet)}", a subnet without host bits`)
  }
  return subnet
}

export function checkMac(text: string | undefined, path: Path, report: Reporter): void {
  const mac = text === undefined ? undefined : parseMac(text)
  if (mac === undefined) return
  if (mac === 0) report.value(path, 'a MAC address other than 00:00:00:00:00:00')
  else if (isMulticastMac(mac)) {
    report.value(path, 'a unicast MAC address: the second hexadecimal digit must be even')
  }
}

export function listSubnets(prefixes: readonly Prefix[]): string {
  return prefixes.map((p) => formatPrefix(subnetOf(p))).join(' or ')
}
