import { OPTION_DEFINITIONS } from '../../../protocols/dhcp/option-table.ts'
import {
  broadcast,
  contains,
  formatIpv4,
  formatPrefix,
  network,
  type Prefix,
} from '../../../protocols/wire/ipv4.ts'
import { isSubnetEdge, overlap, parseAddress, subnetOf } from '../address.ts'
import { formatPath, type Path } from '../config-error.ts'
import type { DhcpInput, DhcpSubnetInput } from '../dhcp.ts'
import { encodeOption } from '../dhcp-server.ts'
import { checkSubnet } from './addresses.ts'
import { items, type Loose, type Reporter, Unique } from './reporter.ts'

type SubnetInput = Loose<Omit<DhcpSubnetInput, 'subnet'>>

interface Range {
  readonly first: number
  readonly last: number
  readonly path: Path
}

const OPTION_NAMES = OPTION_DEFINITIONS.flatMap((o) => [...o.names])

/** Options are encoded once to see whether they can be. */
function checkOptions(
  options: Readonly<Record<string, unknown>> | undefined,
  path: Path,
  report: Reporter,
): void {
  const codes = new Unique<number>()
  for (const [name, value] of Object.entries(options ?? {})) {
    const at = [...path, name]
    const encoded = encodeOption(name, value)
    if (encoded.ok) {
      const earlier = codes.claim(encoded.code, at)
      if (earlier !== undefined)
        report.key(at, `an option that is not given yet (${earlier} is the same one)`)
      continue
    }
    const { code, message } = encoded.error
    if (code === 'UNKNOWN_OPTION' && /^\d+$/.test(name)) {
      report.value(at, '{ "type": …, "value": … }, as this number has no name')
    } else if (code === 'UNKNOWN_OPTION') report.key(at, 'the name or number of a DHCP option', OPTION_NAMES)
    else if (code === 'PROTOCOL_OPTION') report.key(at, 'an option that the server does not set itself')
    else if (code === 'BAD_CODE') report.key(at, 'an option number from 1 to 254')
    else if (code === 'BAD_TYPE') report.value([...at, 'type'], message.slice(message.indexOf('one of')))
    else report.value(at, message.slice(message.lastIndexOf(' is not ') + ' is not '.length))
  }
}

function checkRange(
  range: readonly [string?, string?] | readonly (string | undefined)[] | undefined,
  subnet: Prefix | undefined,
  own: readonly Prefix[],
  path: Path,
  earlier: Range[],
  report: Reporter,
): void {
  const first = parseAddress(range?.[0])
  const last = parseAddress(range?.[1])
  if (first === undefined || last === undefined) return
  if (first > last) {
    report.value(path, 'a range whose first address is not greater than its last')
    return
  }
  if (subnet !== undefined) {
    const where = `${formatPrefix(subnet)}, the subnet that is served`
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

function checkTimes(input: SubnetInput, path: Path, report: Reporter): void {
  const { leaseTime, minLeaseTime, maxLeaseTime } = input
  const order = (key: string, value: number | undefined, limit: number | undefined, than: string) => {
    if (value !== undefined && limit !== undefined && value > limit) {
      report.value([...path, key], `no more than ${limit}, the ${than}`)
    }
  }
  order('minLeaseTime', minLeaseTime, leaseTime ?? maxLeaseTime, leaseTime ? 'leaseTime' : 'maxLeaseTime')
  order('leaseTime', leaseTime, maxLeaseTime, 'maxLeaseTime')
}

class Reservations {
  readonly #addresses = new Unique<string>()
  readonly #macs = new Unique<string>()
  readonly #clients = new Unique<string>()

  check(
    pool: SubnetInput,
    subnet: Prefix | undefined,
    own: readonly Prefix[],
    path: Path,
    report: Reporter,
  ): void {
    for (const [i, r] of items(pool.reservations)) {
      const at = [...path, i]
      if (r.mac === undefined && r.clientId === undefined) {
        report.value(at, 'a "mac" or a "clientId"')
      }
      checkOptions(r.options, [...at, 'options'], report)
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
        report.value(where, `an address inside ${formatPrefix(subnet)}, the subnet that is served`)
      }
    }
  }

  #once(seen: Unique<string>, value: string | undefined, path: Path, what: string, report: Reporter): void {
    const earlier = value === undefined ? undefined : seen.claim(value, path)
    if (earlier !== undefined)
      report.value(
        path,
        `${what === 'address' ? 'an' : 'a'} ${what} without another reservation (${earlier})`,
      )
  }
}

/** @param own addresses of the interface; the first names the subnet that is served. */
export function checkDhcp(
  dhcp: Loose<DhcpInput>,
  own: readonly Prefix[],
  path: Path,
  report: Reporter,
): void {
  const ranges: Range[] = []
  const reservations = new Reservations()
  const local = own[0] === undefined ? undefined : subnetOf(own[0])
  const earlier: { subnet: Prefix; path: Path }[] = local === undefined ? [] : [{ subnet: local, path }]

  const checkOne = (input: SubnetInput, subnet: Prefix | undefined, at: Path) => {
    checkRange(input.range, subnet, own, [...at, 'range'], ranges, report)
    for (const [i, range] of items(input.ranges)) {
      checkRange(range, subnet, own, [...at, 'ranges', i], ranges, report)
    }
    checkTimes(input, at, report)
    checkOptions(input.options, [...at, 'options'], report)
    reservations.check(input, subnet, own, [...at, 'reservations'], report)
  }

  checkOne(dhcp, local, path)
  for (const [i, input] of items(dhcp.subnets)) {
    const at = [...path, 'subnets', i]
    const subnet = checkSubnet(input.subnet, [...at, 'subnet'], report)
    if (subnet !== undefined) {
      const other = earlier.find((e) => overlap(e.subnet, subnet))
      if (other !== undefined) {
        const where = `${formatPrefix(other.subnet)} of ${formatPath(other.path)}`
        report.value([...at, 'subnet'], `a subnet that does not overlap ${where}`)
      }
      earlier.push({ subnet, path: at })
    }
    checkOne(input, subnet, at)
  }
}
