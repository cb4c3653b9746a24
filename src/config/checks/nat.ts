import { formatIpv4 } from '../../../protocols/wire/ipv4.ts'
import { formatPath, type Path } from '../config-error.ts'
import type { NatRuleInput } from '../nat.ts'
import { parseAddressRange, parsePorts } from '../nat-rules.ts'
import { checkSubnet } from './addresses.ts'
import { each, items, type Loose, type Reporter } from './reporter.ts'

interface RouterFacts {
  readonly interfaces: readonly string[]
  /** undefined when not all are known. */
  readonly addresses: readonly number[] | undefined
}

type Rule = Loose<NatRuleInput>
type Dnat = Loose<Extract<NatRuleInput, { type: 'dnat' }>>
type Snat = Loose<Exclude<NatRuleInput, { type: 'dnat' }>>
interface Forward {
  readonly rule: Dnat
  readonly first: number
  readonly last: number
  readonly path: Path
}

function checkInterface(name: string | undefined, path: Path, facts: RouterFacts, report: Reporter): void {
  if (name === undefined || facts.interfaces.includes(name)) return
  const names = facts.interfaces.length === 0 ? 'there is none' : facts.interfaces.join(', ')
  report.value(path, `an interface of the router (${names})`, facts.interfaces)
}

function checkPorts(
  value: unknown,
  path: Path,
  report: Reporter,
): { first: number; last: number } | undefined {
  const ports = parsePorts(value)
  if (ports === undefined || ports.first <= ports.last) return ports
  report.value(path, 'a range whose first port is not greater than its last')
  return undefined
}

function own(address: string, facts: RouterFacts): string {
  const list = (facts.addresses ?? []).map(formatIpv4).join(', ')
  return `an address of the router (${list}); give ${address} to one of its interfaces first`
}

function checkSnatAddresses(to: unknown, path: Path, facts: RouterFacts, report: Reporter): void {
  for (const [text, at] of each(to, path)) {
    const range = parseAddressRange(text)
    if (range === undefined) continue
    if (range.first > range.last) {
      report.value(at, 'a range whose first address is not greater than its last')
      continue
    }
    if (facts.addresses === undefined) continue
    // The loop ends at the first address that is not the router's, so a huge range costs nothing.
    for (let address = range.first; address <= range.last; address++) {
      if (facts.addresses.includes(address)) continue
      report.value(at, own(formatIpv4(address), facts))
      break
    }
  }
}

function checkForward(
  rule: Dnat,
  path: Path,
  earlier: Forward[],
  facts: RouterFacts,
  report: Reporter,
): void {
  checkInterface(rule.inInterface, [...path, 'inInterface'], facts, report)
  const address = parseAddressRange(rule.address)?.first
  if (address !== undefined && facts.addresses !== undefined && !facts.addresses.includes(address)) {
    report.value([...path, 'address'], own(formatIpv4(address), facts))
  }
  const ported = rule.protocol === 'tcp' || rule.protocol === 'udp'
  if (rule.port !== undefined && !ported) {
    report.value([...path, 'port'], 'no port unless "protocol" is "tcp" or "udp"')
    return
  }
  const ports = checkPorts(rule.port, [...path, 'port'], report)
  const toPort = rule.to?.split(':')[1]
  if (toPort !== undefined) {
    if (rule.port === undefined)
      report.value([...path, 'to'], 'an address without a port, as there is no "port"')
    else if (ports !== undefined && Number(toPort) + ports.last - ports.first > 65535) {
      report.value([...path, 'to'], `a first port that leaves room for ${ports.last - ports.first + 1} ports`)
    }
  }
  if (rule.port !== undefined && ports === undefined) return
  const forward: Forward = { rule, first: ports?.first ?? 0, last: ports?.last ?? 65535, path }
  const taken = earlier.find(
    (e) =>
      e.rule.address === rule.address &&
      (e.rule.protocol === undefined || e.rule.protocol === rule.protocol) &&
      (e.rule.inInterface === undefined || e.rule.inInterface === rule.inInterface) &&
      e.first <= forward.first &&
      e.last >= forward.last,
  )
  if (taken !== undefined && rule.address !== undefined) {
    const what = rule.port === undefined ? 'address' : 'port'
    report.value([...path, what], `what no earlier rule forwards already (${formatPath(taken.path)} does)`)
  }
  earlier.push(forward)
}

export function checkNat(
  rules: readonly (Rule | undefined)[] | undefined,
  facts: RouterFacts,
  path: Path,
  report: Reporter,
): void {
  const forwards: Forward[] = []
  for (const [i, rule] of items(rules)) {
    const at = [...path, i]
    if (rule.type === 'dnat') {
      checkForward(rule as Dnat, at, forwards, facts, report)
      continue
    }
    if (rule.type === undefined) continue
    const snat = rule as Snat
    for (const key of ['source', 'notSource', 'destination', 'notDestination'] as const) {
      checkSubnet(snat[key], [...at, key], report)
    }
    checkInterface(snat.outInterface, [...at, 'outInterface'], facts, report)
    checkPorts(snat.ports, [...at, 'ports'], report)
    if (snat.type === 'snat') checkSnatAddresses(snat.to, [...at, 'to'], facts, report)
  }
}
