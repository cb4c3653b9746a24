/** `ofproto/trace`: a translation that changes nothing, told step by step in the words of Open vSwitch. */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  FLAG_FRAG,
  FLAG_LATER,
  FLOW_WORDS,
  KEY_BASE,
  KEY_MPLS,
  KEY_WORDS,
  keyLength,
  PT_ETHERNET,
  VLAN_PRESENT,
  W_ACTSET_OUTPUT,
  W_CONJ_ID,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IN_PORT,
  W_L4,
  W_MPLS,
  W_ND_LL,
  W_ND_TARGET,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_SKB_PRIORITY,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { emptyMatch, type Match, setMatchBits } from '../../protocols/openflow/match.ts'
import { isMpls } from '../../protocols/openflow/prerequisites.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { formatProgram } from '../actions/format.ts'
import type { Datapath } from '../datapath.ts'
import type { TraceOptions } from '../dpif-pipeline.ts'
import { extract } from '../flow/extract.ts'
import { inputFromNowhere } from './bridge-input.ts'
import { packetOut } from './resume.ts'
import type { Bridge } from './topology.ts'
import { TraceTree } from './trace-tree.ts'
import { WIDE_FIELDS } from './wide-fields.ts'
import { Xlate } from './xlate.ts'

/**
 * @param packet a frame, or words of a flow; see PipelineCommands.trace
 * @returns lines, or why the actions cannot be carried out
 */
export function traceFlow(
  dp: Datapath,
  bridge: Bridge,
  packet: Uint8Array | Uint32Array,
  inPort: number,
  { numbers = false, names = false, connectionStates, actions }: TraceOptions = {},
): string[] | OfErrorName {
  const key = new Uint32Array(KEY_WORDS)
  let words = 0
  let handle = -1
  const ofport = packet instanceof Uint32Array ? packet[W_IN_PORT] : inPort
  const port = bridge.portByNumber(ofport)
  if (packet instanceof Uint32Array) {
    words = keyLength(packet[W_TYPE])
    key.set(packet.subarray(0, words))
    key[W_IN_PORT] = port?.portNo ?? 0
  } else {
    handle = dp.pool.fromBytes(packet)
    if (handle >= 0) words = extract(dp.pool, handle, port?.portNo ?? 0, key, 0)
  }
  if (handle >= 0) dp.pool.free(handle)
  if (words === 0) return ['>> not a frame']
  const x = new Xlate(dp.topology, dp.routers)
  const namesOf = (name: string): NameMaps | undefined => (names ? portNames(dp, name) : undefined)
  const own = namesOf(bridge.spec.name)
  const tree = new TraceTree(namesOf, connectionStates)
  x.begin(key, words, -1, dp.now)
  x.sideEffects = false
  x.trace = tree
  const before = describeFlow(x.flow, ofport, own)
  let refusal: OfErrorName | undefined
  if (actions !== undefined)
    x.deepen(() => {
      refusal = packetOut(x, bridge, { inPort: ofport, actions })
    })
  if (refusal !== undefined && refusal !== 'OFPFMFC_UNKNOWN') return refusal
  if (actions === undefined && port !== undefined) x.enterBridge(port)
  else if (actions === undefined) x.deepen(() => inputFromNowhere(x, bridge, ofport))
  x.end()
  const after = tree.end === undefined ? before : describeFlow(tree.end, tree.end[W_IN_PORT], own)
  const nameOf = (portNo: number): string =>
    (numbers ? undefined : dp.topology.port(portNo)?.spec.name) ?? String(portNo)
  const lines = [`Flow: ${before}`, ...tree.lines()]
  lines.push(
    '',
    `Final flow: ${before === after ? 'unchanged' : after}`,
    `Megaflow: ${describeMegaflow(x, ofport, own)}`,
    `Datapath actions: ${formatProgram(x.program.code, 0, nameOf)}`,
  )
  if (x.failure !== undefined) lines.push('', `Translation failed (${x.failure}), packet is dropped.`)
  return lines
}

function portNames(dp: Datapath, bridge: string): NameMaps {
  const ports = dp.topology.bridges.get(bridge)?.ports ?? []
  return {
    ports: {
      nameOf: (ofport) => ports.find((port) => port.ofport === ofport)?.spec.name,
      numberOf: () => undefined,
    },
  }
}

const TYPE = 0xffff0000
const MPLS_BOS = 0x100
const FRAGMENT = FLAG_FRAG | FLAG_LATER

/** Every field of a flow that its packet has, and what it carries besides as far as that is not zero. */
function describeFlow(flow: Uint32Array, inPort: number, names: NameMaps | undefined): string {
  const match = emptyMatch()
  const all = (word: number, mask = 0xffff_ffff): void => setMatchBits(match, word, flow[word], mask)
  setMatchBits(match, W_IN_PORT, inPort, 0xffff_ffff)
  const ethernet = flow[W_PACKET_TYPE] === PT_ETHERNET
  if (ethernet) for (const word of [W_DL_DST, W_DL_MIX, W_DL_SRC]) all(word)
  if (ethernet) all(W_VLAN, (flow[W_VLAN] & (VLAN_PRESENT << 16)) === 0 ? 0xffff_0000 : 0xffff_ffff)
  const type = flow[W_TYPE] >>> 16
  const ip = type === ETH_IPV4 || type === ETH_IPV6
  all(W_TYPE, ip ? TYPE | FRAGMENT : TYPE)
  if (ip || type === ETH_ARP) {
    all(W_NW_SRC)
    all(W_NW_DST)
    all(W_NW, ip ? 0xffff_ffff : 0xff00_0000)
  }
  const proto = flow[W_NW] >>> 24
  if (ip && [1, 6, 17, 58, 132].includes(proto)) all(W_TP)
  if (ip && proto === 6) all(W_L4, 0x0fff_0000)
  const words = isMpls(type) ? W_MPLS + labels(flow) : keyLength(flow[W_TYPE])
  for (let word = KEY_BASE; word < words; word++) {
    const discovery = word >= W_ND_TARGET && word < W_ND_LL + 3
    if (!discovery || (proto === 58 && [135, 136].includes(flow[W_TP] >>> 16))) all(word)
  }
  for (let word = KEY_WORDS; word < FLOW_WORDS; word++) {
    if (flow[word] !== 0 && word !== W_ACTSET_OUTPUT && word !== W_CONJ_ID) all(word)
  }
  for (const [first, words] of WIDE_FIELDS) {
    const set = flow.subarray(first, first + words).some((w) => w !== 0)
    for (let word = first; set && word < first + words; word++) all(word)
  }
  return formatMatch(match, names)
}

/** Entries of a label stack that the flow has: up to the last, the third at most. */
function labels(flow: Uint32Array): number {
  let n = 1
  while (n < KEY_MPLS - W_MPLS && (flow[W_MPLS + n - 1] & MPLS_BOS) === 0) n++
  return n
}

/** What the translation looked at. */
function describeMegaflow(x: Xlate, inPort: number, names: NameMaps | undefined): string {
  const match: Match = emptyMatch()
  for (let word = W_DL_DST; word < KEY_WORDS; word++) {
    setMatchBits(match, word, x.origin[word], x.wc[word])
  }
  setMatchBits(match, W_IN_PORT, inPort, 0xffff_ffff)
  const type = x.origin[W_TYPE] >>> 16
  const ip = type === ETH_IPV4 || type === ETH_IPV6
  setMatchBits(match, W_TYPE, x.origin[W_TYPE], ip ? TYPE | FRAGMENT : TYPE)
  // That there is no tag, the type says already.
  const untagged = [16, 0].filter((shift) => ((x.origin[W_VLAN] >>> shift) & VLAN_PRESENT) === 0)
  for (const shift of untagged) match.mask[W_VLAN] &= ~(0xffff << shift)
  // Only datagrams come in fragments.
  if (!ip) match.mask[W_TYPE] &= ~FRAGMENT
  const queue = x.wc[W_SKB_PRIORITY] === 0 ? '' : 'skb_priority=0,'
  return `recirc_id=0,${queue}eth,${formatMatch(match, names)}`
}
