/** Ports and what they have counted, as ovs-ofctl show, dump-ports-desc and dump-ports print them. */

import { OFPP_MAX } from '../port.ts'
import type { PortDesc } from '../port-desc.ts'
import { PS_STP_BLOCK, PS_STP_FORWARD, PS_STP_LEARN, PS_STP_MASK } from '../port-desc.ts'
import type { Counter, PortRmonStats, PortStats } from '../port-stats.ts'
import { formatEthernet } from './address.ts'
import { formatDuration } from './flow-format.ts'
import { formatPort, type NameMaps } from './names.ts'

/** By bit. */
const CONFIG = ['PORT_DOWN', 'NO_STP', 'NO_RECV', 'NO_RECV_STP', 'NO_FLOOD', 'NO_FWD', 'NO_PACKET_IN']
const STATE = ['LINK_DOWN', 'BLOCKED', 'LIVE']
const FEATURES = [
  ...['10MB-HD', '10MB-FD', '100MB-HD', '100MB-FD', '1GB-HD', '1GB-FD', '10GB-FD', '40GB-FD', '100GB-FD'],
  ...['1TB-FD', 'OTHER', 'COPPER', 'FIBER', 'AUTO_NEG', 'AUTO_PAUSE', 'AUTO_PAUSE_ASYM'],
]

/** Names of bits with blanks between; those without a name as one number; 0 for none. */
export function formatBits(bits: number, names: readonly string[], separator = ' '): string {
  if (bits === 0) return '0'
  const words: string[] = []
  let rest = bits
  for (const [i, name] of names.entries()) {
    if (name !== '' && (bits & (1 << i)) !== 0) {
      words.push(name)
      rest &= ~(1 << i)
    }
  }
  if (rest !== 0) words.push(`0x${(rest >>> 0).toString(16)}`)
  return words.join(separator)
}

function formatState(state: number): string {
  const stp = state & PS_STP_MASK
  // Listening is 0, and what switches without a spanning tree say.
  if (stp === 0) return formatBits(state, STATE)
  const word = { [PS_STP_LEARN]: 'STP_LEARN', [PS_STP_FORWARD]: 'STP_FORWARD', [PS_STP_BLOCK]: 'STP_BLOCK' }[
    stp
  ]!
  const rest = state & ~PS_STP_MASK
  return rest === 0 ? word : `${word} ${formatBits(rest, STATE)}`
}

/** Several lines, without a newline at the end. */
export function formatPortDesc(p: PortDesc): string {
  const lines = [
    ` ${formatPort(p.port)}(${p.name}): addr:${formatEthernet(p.hwAddr)}`,
    `     config:     ${formatBits(p.config, CONFIG)}`,
    `     state:      ${formatState(p.state)}`,
  ]
  const features = (title: string, bits: number): void => {
    if (bits !== 0) lines.push(`     ${title.padEnd(12)}${formatBits(bits, FEATURES)}`)
  }
  features('current:', p.curr)
  features('advertised:', p.advertised)
  features('supported:', p.supported)
  features('peer:', p.peer)
  const mbps = (kbps: number): number => Math.floor(kbps / 1000)
  lines.push(`     speed: ${mbps(p.currSpeed)} Mbps now, ${mbps(p.maxSpeed)} Mbps max`)
  return lines.join('\n')
}

type Columns = readonly (readonly [title: string, value: Counter])[]

function counters(columns: Columns): string {
  return columns.map(([title, value]) => `${title}=${value ?? '?'}`).join(', ')
}

const SIZES = ['1To64', '65To127', '128To255', '256To511', '512To1023', '1024To1522', '1523ToMax'] as const

function rmon(stats: PortRmonStats, way: 'rx' | 'tx'): string | undefined {
  const columns: [string, Counter][] = SIZES.map((size) => [
    `${size.replace(/To/, '_to_').toLowerCase()}_packets`,
    stats[`${way}${size}Packets`],
  ])
  if (way === 'rx') {
    columns.push(['broadcast_packets', stats.rxBroadcastPackets])
    columns.push(['undersized_errors', stats.rxUndersizedErrors])
    columns.push(['oversize_errors', stats.rxOversizeErrors])
    columns.push(['rx_fragmented_errors', stats.rxFragmentedErrors])
    columns.push(['rx_jabber_errors', stats.rxJabberErrors])
  } else {
    columns.push(['multicast_packets', stats.txMulticastPackets])
    columns.push(['broadcast_packets', stats.txBroadcastPackets])
  }
  const known = columns.filter(([, value]) => value !== undefined)
  if (known.length === 0) return undefined
  return `           ${way} rfc2819 ${known.map(([title, value]) => `${title}=${value}, `).join('')}`
}

/** Several lines, without a newline at the end. */
export function formatPortStats(s: PortStats, names?: NameMaps): string {
  const port = formatPort(s.port, names)
  const rx: Columns = [
    ['pkts', s.rxPackets],
    ['bytes', s.rxBytes],
    ['drop', s.rxDropped],
    ['errs', s.rxErrors],
    ['frame', s.rxFrameErrors],
    ['over', s.rxOverErrors],
    ['crc', s.rxCrcErrors],
  ]
  const tx: Columns = [
    ['pkts', s.txPackets],
    ['bytes', s.txBytes],
    ['drop', s.txDropped],
    ['errs', s.txErrors],
    ['coll', s.collisions],
  ]
  const short = s.port < OFPP_MAX && s.port < 10 ? ' ' : ''
  const lines = [`  port ${short}${port}: rx ${counters(rx)}`, `           tx ${counters(tx)}`]
  if (s.durationSec !== undefined) {
    lines.push(`           duration=${formatDuration(s.durationSec, s.durationNsec ?? 0)}`)
  }
  if (s.rmon !== undefined) {
    for (const way of ['rx', 'tx'] as const) {
      const line = rmon(s.rmon, way)
      if (line !== undefined) lines.push(line)
    }
  }
  const custom = s.custom ?? []
  if (custom.length > 0) lines.push('           CUSTOM Statistics')
  for (let i = 0; i < custom.length; i += 3) {
    const three = custom.slice(i, i + 3).map(({ name, value }) => `${name}=${value ?? '?'}`)
    lines.push(`                      ${three.join(', ')},`)
  }
  return lines.join('\n')
}
