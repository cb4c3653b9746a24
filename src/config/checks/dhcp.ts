import {
  broadcast,
  contains,
  formatIpv4,
  formatPrefix,
  network,
  type Prefix,
} from '../../../protocols/wire/ipv4.ts'
import { isSubnetEdge, parseAddress, parsePrefix, subnetOf } from '../address.ts'
import { formatPath, type Path } from '../config-error.ts'
import type { DhcpInput, PoolInput } from '../dhcp.ts'
import { checkSubnet } from './addresses.ts'
import { items, type Loose, type Reporter, Unique } from './reporter.ts'

interface Range {
  readonly first: number
  readonly last: number
  readonly path: Path
}

function checkRange(
  pool: Loose<PoolInput>,
  subnet: Prefix | undefined,
  own: readonly Prefix[],
  path: Path,
  earlier: Range[],
  report: Reporter,
): void {
  const first = parseAddress(pool.range?.[0])
  const last = parseAddress(pool.range?.[1])
  if (first === undefined || last === undefined) return
  if (first > last) {
    report.value(path, 'a range whose first address is not greater than its last')
    return
  }
  if (subnet !== undefined) {
    const where = `${formatPrefix(subnet)}, the subnet of the pool`
    const outside = [first, last].flatMap((a, i) => (contains(subnet, a) ? [] : [i]))
    for (const i of outside) report.value([...path, i], `an address inside ${where}`)
    if (outside.length === 0) {
      for (const [i, a] of [first, last].entries()) {
        if (isSubnetEdge(subnet, a)) {
          const from = formatIpv4(network(subnet) + 1)
          report.value([...path, i], `an address between ${from} and ${formatIpv4(broadcast(subnet) - 1)}`)
        }
      }
    }
  }
  const covered = own.find((p) => p.address >= first && p.address <= last)
  if (covered !== undefined) {
    report.value(path, `a range that leaves out ${formatIpv4(covered.address)}, the router's own address`)
  }
  const other = earlier.find((r) => r.first <= last && first <= r.last)
  if (other !== undefined) report.value(path, `a range that does not overlap ${formatPath(other.path)}`)
  earlier.push({ first, last, path })
}

function checkTimes(pool: Loose<PoolInput>, path: Path, report: Reporter): void {
  const { leaseTime, minLeaseTime, maxLeaseTime, renewalTime, rebindingTime } = pool
  const order = (key: string, value: number | undefined, limit: number | undefined, than: string) => {
    if (value !== undefined && limit !== undefined && value > limit) {
      report.value([...path, key], `no more than ${limit}, the ${than}`)
    }
  }
  order('minLeaseTime', minLeaseTime, maxLeaseTime, 'maxLeaseTime')
  order('minLeaseTime', minLeaseTime, leaseTime, 'leaseTime')
  order('leaseTime', leaseTime, maxLeaseTime, 'maxLeaseTime')
  order('renewalTime', renewalTime, rebindingTime, 'rebindingTime')
  order('renewalTime', renewalTime, leaseTime, 'leaseTime')
  order('rebindingTime', rebindingTime, leaseTime, 'leaseTime')
}

class Reservations {
  readonly #addresses = new Unique<string>()
  readonly #macs = new Unique<string>()
  readonly #clients = new Unique<string>()

  check(
    pool: Loose<PoolInput>,
    subnet: Prefix | undefined,
    own: readonly Prefix[],
    path: Path,
    report: Reporter,
  ): void {
    for (const [i, r] of items(pool.reservations)) {
      const at = [...path, i]
      if (r.mac === undefined && r.clientId === undefined) {
        report.value(at, 'a "mac" or a "clientId"')
      } else if (r.mac !== undefined && r.clientId !== undefined) {
        report.value(at, 'either a "mac" or a "clientId", not both')
      }
      this.#once(this.#macs, r.mac?.toLowerCase(), [...at, 'mac'], 'MAC address', report)
      const client = r.clientId?.replaceAll(':', '').toLowerCase()
      if (client !== undefined && client.length % 2 !== 0) {
        report.value([...at, 'clientId'], 'whole octets: an even number of hexadecimal digits')
      }
      this.#once(this.#clients, client, [...at, 'clientId'], 'client identifier', report)
      const address = parseAddress(r.address)
      if (address === undefined) continue
      const where = [...at, 'address']
      this.#once(this.#addresses, r.address, where, 'address', report)
      if (own.some((p) => p.address === address)) {
        report.value(where, "an address other than the router's own")
      } else if (subnet !== undefined && (!contains(subnet, address) || isSubnetEdge(subnet, address))) {
        report.value(where, `an address inside ${formatPrefix(subnet)}, the subnet of the pool`)
      }
    }
  }

  #once(seen: Unique<string>, value: string | undefined, path: Path, what: string, report: Reporter): void {
    const earlier = value === undefined ? undefined : seen.claim(value, path)
    if (earlier !== undefined) report.value(path, `a ${what} without another reservation (${earlier})`)
  }
}

/** @param own addresses of the interface; pools have the subnet of the first unless they name another. */
export function checkDhcp(
  dhcp: Loose<DhcpInput>,
  own: readonly Prefix[],
  path: Path,
  report: Reporter,
): void {
  const ranges: Range[] = []
  const reservations = new Reservations()
  const pools: [Loose<PoolInput>, Path][] = [
    [dhcp, path],
    ...items(dhcp.pools).map(([i, p]): [Loose<PoolInput>, Path] => [p, [...path, 'pools', i]]),
  ]
  for (const [pool, at] of pools) {
    const given = parsePrefix(pool.subnet)
    if (given !== undefined) checkSubnet(pool.subnet, [...at, 'subnet'], report)
    const subnet = given ?? own[0]
    const bare = subnet === undefined ? undefined : subnetOf(subnet)
    checkRange(pool, bare, own, [...at, 'range'], ranges, report)
    checkTimes(pool, at, report)
    reservations.check(pool, bare, own, [...at, 'reservations'], report)
  }
}
