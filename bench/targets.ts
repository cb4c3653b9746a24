/**
 * What the dataplane is to reach, as ratios to other switches in the same run (or, in memory, as figures), and
 * whether it has.
 */
import Table from 'cli-table3'
import { LONGEST } from './pauses/pauses.ts'
import { EIGHT, ONE } from './pipeline/eight-bridges.ts'
import { type Result, short } from './support/result.ts'

export interface Target {
  readonly bench: string
  readonly figure: string
  readonly peer?: string
  /** Whose figure ours is divided by; the figure itself counts where there is none. */
  readonly against?: string
  readonly bound: number
  /** The bound is an upper one: small values are the better ones. */
  readonly atMost?: true
  /** Of the figure, where it is not Mpps. */
  readonly unit?: string
}

export interface Verdict {
  readonly target: Target
  /** The ratio or figure, undefined where it was not measured. */
  readonly value: number | undefined
  readonly met: boolean | undefined
}

const TAP = 'ours, TAP'
const VETH = 'ours, AF_PACKET on veth'
const SNAT = 'ours, SNAT, TAP'
const SNAT_VETH = 'ours, SNAT, AF_PACKET on veth'
const OVS_TAP = 'Open vSwitch, tap'
const OVS_TSO = 'Open vSwitch, AF_PACKET with TSO'
const OVS_SNAT = 'Open vSwitch conntrack SNAT, tap'
const IPTABLES = 'iptables SNAT, veth'
const TCP = 'TCP, 1 stream'
/** How TCP is measured where the machine's own congestion control is another. */
const CUBIC = 'TCP, 1 stream, cubic'
const DHCP = 'leases a second, each on the disk, at 1 % loss or less'

export const TARGETS: readonly Target[] = [
  ...[TCP, CUBIC].flatMap((figure) => [
    { bench: 'bridge', figure, peer: TAP, against: OVS_TAP, bound: 7 },
    { bench: 'bridge', figure, peer: TAP, against: OVS_TSO, bound: 2 },
    { bench: 'bridge', figure, peer: TAP, against: 'kernel bridge, veth', bound: 0.8 },
  ]),
  { bench: 'bridge', figure: '64 B', peer: TAP, against: OVS_TAP, bound: 1.4 },
  { bench: 'bridge', figure: '64 B', peer: TAP, against: 'C, read()/write(), no switch, tap', bound: 0.9 },
  { bench: 'bridge', figure: '64 B', peer: VETH, against: 'Open vSwitch, AF_PACKET', bound: 2 },
  ...[TCP, CUBIC].map((figure) => ({ bench: 'bridge', figure, peer: VETH, against: OVS_TSO, bound: 1.3 })),
  { bench: 'bridge', figure: 'round trip, p50', peer: TAP, against: OVS_TAP, bound: 1, atMost: true },
  {
    bench: 'bridge',
    figure: 'round trip, p50',
    peer: 'ours, busy polling',
    against: 'Open vSwitch, AF_XDP',
    bound: 1.5,
    atMost: true,
  },
  ...[TCP, CUBIC].flatMap((figure) => [
    { bench: 'SNAT', figure, peer: SNAT, against: IPTABLES, bound: 0.8 },
    { bench: 'SNAT', figure, peer: SNAT, against: OVS_SNAT, bound: 7 },
  ]),
  // Each beside who has the same devices.
  ...[
    { peer: SNAT_VETH, against: IPTABLES },
    { peer: SNAT, against: OVS_SNAT },
  ].flatMap((sides) => [
    { bench: 'SNAT', figure: '64 B, 1 flow', ...sides, bound: 1.3 },
    { bench: 'SNAT', figure: '64 B, 10,000 flows', ...sides, bound: 1.3 },
    { bench: 'SNAT', figure: 'new TCP connections', ...sides, bound: 1 },
  ]),
  {
    bench: 'OpenFlow',
    figure: 'forwarded, 10000 5-tuple rules, 10000 flows',
    peer: 'ours',
    against: 'Open vSwitch',
    bound: 1.4,
  },
  { bench: 'memory: bridge', figure: '64 B, 1 flow', bound: 10 },
  { bench: 'memory: snat', figure: '64 B, 1 flow', bound: 5 },
  { bench: 'memory: patch ports', figure: '64 B, 1 flow', peer: EIGHT, against: ONE, bound: 0.95 },
  { bench: 'pauses', figure: LONGEST, bound: 5, atMost: true, unit: 'ms' },
  ...['', 'durable '].flatMap((durable) =>
    ['one after the other', '32 at a time'].map((how) => ({
      bench: 'OVSDB',
      figure: `${durable}transactions, ${how}`,
      peer: 'ours',
      against: 'ovsdb-server',
      bound: 1,
    })),
  ),
  ...[
    '10000 ports in one transaction',
    'ovs-vsctl add-port, with 10000 ports',
    'ovs-vsctl, 10000 add-port in one command',
    'monitor of 100000 rows',
    'memory with 100000 rows',
  ].map((figure): Target => {
    return { bench: 'OVSDB', figure, peer: 'ours', against: 'ovsdb-server', bound: 1, atMost: true }
  }),
  { bench: 'DHCP', figure: DHCP, peer: 'ours', against: 'Kea, memfile', bound: 2 },
  ...[
    'ovs-vsctl add-port, internal, beside 0',
    'ovs-vsctl add-port, internal, beside 100',
    'ovs-vsctl add-port, internal, beside 1000',
    '100 internal ports in one transaction',
    '900 internal ports in one transaction, beside 100',
    '900 system ports in one transaction, beside 100',
    '9000 dummy ports in one transaction, beside 1000',
    'one dummy port, beside 10000',
  ].map((figure): Target => {
    return { bench: 'ports', figure, peer: 'ours', against: 'Open vSwitch', bound: 1, atMost: true }
  }),
  ...['start to ready', 'ovs-vsctl add-port', '1000 ports in one ovs-vsctl'].map((figure): Target => {
    return { bench: 'start', figure, peer: 'ours', against: 'Open vSwitch', bound: 1, atMost: true }
  }),
]

/** Sets the results of a run against every target. */
export function judge(results: readonly Result[]): Verdict[] {
  return TARGETS.map((target) => {
    const result = results.find(
      (r) => r.bench === target.bench && r.figure === target.figure && r.peer === target.peer,
    )
    const value = target.against === undefined ? result?.value : result?.ratios?.[target.against]
    if (value === undefined) return { target, value, met: undefined }
    return { target, value, met: target.atMost ? value <= target.bound : value >= target.bound }
  })
}

/** A target in words: what is measured, against whom, what is wanted, what it is. */
export function words({ target, value, met }: Verdict): [string, string, string, string, string] {
  const unit = target.against === undefined ? ` ${target.unit ?? 'Mpps'}` : '×'
  return [
    `${target.bench}: ${target.figure}${target.peer === undefined ? '' : ` (${target.peer})`}`,
    target.against ?? '',
    `${target.atMost ? '≤' : '≥'} ${target.bound}${unit}`,
    value === undefined ? '' : `${short(value)}${unit}`,
    met === undefined ? 'not measured' : met ? 'met' : 'not met',
  ]
}

export const VERDICT_HEAD = ['target', 'against', 'wanted', 'measured', '']

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  const table = new Table({ head: VERDICT_HEAD, style: { head: [], border: [] } })
  for (const verdict of verdicts) table.push(words(verdict))
  const met = verdicts.filter((v) => v.met).length
  const measured = verdicts.filter((v) => v.met !== undefined).length
  return `${table}\n${met} of ${measured} targets met; ${verdicts.length - measured} not measured in this run`
}
