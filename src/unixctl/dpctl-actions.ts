/** dpctl/parse-actions and dpctl/normalize-actions: actions of the datapath, read and written again. */
import {
  ETH_MPLS,
  ETH_MPLS_MULTICAST,
  FLAG_INNER_AD,
  FLAG_OUTER_AD,
  VLAN_PRESENT,
  W_MPLS,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { formatOdpActions, type OdpAction, parseOdpActions } from '../../protocols/odp/action.ts'
import { formatOdpKey } from '../../protocols/odp/key-format.ts'
import { parseOdpMatch } from '../../protocols/odp/key-parse.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import { dpctlError, INVALID, splitArguments } from './dpctl-arguments.ts'

const MANY = Number.MAX_SAFE_INTEGER

export function dpctlActionCommands(): UnixctlCommand[] {
  return [
    {
      name: 'dpctl/parse-actions',
      usage: 'actions',
      min: 1,
      max: MANY,
      run: (args) => args.map((text) => `${formatOdpActions(actionsOf(text))}\n`).join(''),
    },
    { name: 'dpctl/normalize-actions', usage: 'actions', min: 2, max: MANY, run: normalize },
  ]
}

const MALFORMED = dpctlError('odp_actions_from_string', INVALID)

/** @throws UnixctlError */
function actionsOf(text: string): OdpAction[] {
  const actions = parseOdpActions(text)
  if (actions === undefined) throw MALFORMED
  return actions
}

interface Tag {
  readonly tpid: number
  readonly tci: number
}

/** What is done to a packet with these tags. */
interface Share {
  readonly tags: readonly Tag[]
  readonly actions: OdpAction[]
}

/** What becomes of a packet for each set of tags it is given on its way, whatever the order of the actions. */
function normalize(args: readonly string[]): string {
  const { options, rest } = splitArguments(args)
  const [flowText, actionText, ...named] = rest
  const ports = new Map(
    named.map((text) => {
      const [, name, number] = /^([^=]{1,15})=(\d+)$/.exec(text) ?? []
      if (name === undefined) throw dpctlError(`${text}: expected NAME=NUMBER`)
      return [name, Number(number)]
    }),
  )
  const { value, mask } = flowOf(flowText, (name) => ports.get(name))
  const shown = formatOdpKey(value, mask, { verbose: false, portName: String })
  const input = `input flow: ${onlyGiven(shown, flowText)}\n`
  const actions = parseOdpActions(actionText)
  if (actions === undefined) throw new UnixctlError(`${input}${MALFORMED.message}`)
  const shares: Share[] = []
  let tags = tagsOf(value)
  for (const action of actions) {
    if (action.type === 'pop_vlan') tags = tags.slice(1)
    else if (action.type === 'push_vlan') tags = [action, ...tags].slice(0, 2)
    else shareOf(shares, tags).actions.push(action)
  }
  shares.sort((a, b) => byTags(a.tags, b.tags))
  return [
    input,
    options.has('-m') || options.has('--more') ? `input actions: ${formatOdpActions(actions)}\n` : '',
    ...shares.map(
      (share) => `${tagText(share.tags)}${mplsText(value)}${formatOdpActions(sortOutputs(share.actions))}`,
    ),
  ].join('')
}

function flowOf(text: string, ports: (name: string) => number | undefined) {
  try {
    return parseOdpMatch(text, ports)
  } catch (error) {
    if (!(error instanceof FlowSyntaxError)) throw error
    throw dpctlError(`odp_flow_key_from_string (${error.message})`, INVALID)
  }
}

/** Flows of the datapath always have these; one that somebody wrote need not. */
function onlyGiven(shown: string, given: string): string {
  return ['recirc_id', 'packet_type', 'eth_type'].reduce(
    (text, name) =>
      given.includes(`${name}(`)
        ? text
        : text.replace(new RegExp(`${name}\\([^)]*\\),|,${name}\\([^)]*\\)$`), ''),
    shown,
  )
}

function tagsOf(value: Uint32Array): Tag[] {
  const tag = (tci: number, flag: number): Tag[] =>
    (tci & VLAN_PRESENT) === 0 ? [] : [{ tpid: (value[W_TYPE] & flag) === 0 ? 0x8100 : 0x88a8, tci }]
  return [...tag(value[W_VLAN] >>> 16, FLAG_OUTER_AD), ...tag(value[W_VLAN] & 0xffff, FLAG_INNER_AD)]
}

function shareOf(shares: Share[], tags: readonly Tag[]): Share {
  const key = tagText(tags)
  const found = shares.find((share) => tagText(share.tags) === key)
  if (found !== undefined) return found
  const share = { tags, actions: [] }
  shares.push(share)
  return share
}

/** As flows are ordered: by the first tag that differs. */
function byTags(a: readonly Tag[], b: readonly Tag[]): number {
  for (let i = 0; i < 2; i++) {
    const [x, y] = [a[i], b[i]].map((tag) =>
      tag === undefined ? 0 : swapped(tag.tpid) * 0x1_0000 + swapped(tag.tci),
    )
    if (x !== y) return x - y
  }
  return 0
}

/** Open vSwitch compares, and writes, these two bytes as its machine has them. */
const swapped = (value: number): number => ((value & 0xff) << 8) | (value >>> 8)

function tagText(tags: readonly Tag[]): string {
  if (tags.length === 0) return 'no vlan: '
  return tags
    .map(({ tpid, tci }) => {
      const type = tpid === 0x8100 ? '' : `tpid=0x${swapped(tpid).toString(16).padStart(4, '0')},`
      return `vlan(${type}vid=${tci & 0xfff},pcp=${tci >>> 13}): `
    })
    .join('')
}

function mplsText(value: Uint32Array): string {
  const type = value[W_TYPE] >>> 16
  if (type !== ETH_MPLS && type !== ETH_MPLS_MULTICAST) return 'no mpls: '
  const entry = value[W_MPLS]
  return `mpls(label=${entry >>> 12},tc=${(entry >>> 9) & 7},ttl=${entry & 0xff}): `
}

/** Outputs that follow each other, by number. */
function sortOutputs(actions: readonly OdpAction[]): OdpAction[] {
  const sorted: OdpAction[] = []
  let run: Extract<OdpAction, { type: 'output' }>[] = []
  const close = () => {
    sorted.push(...run.sort((a, b) => a.port - b.port))
    run = []
  }
  for (const action of actions) {
    if (action.type === 'output') run.push(action)
    else {
      close()
      sorted.push(action)
    }
  }
  close()
  return sorted
}
