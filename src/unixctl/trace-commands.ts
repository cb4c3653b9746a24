/** ofproto/trace…: what the switch would do with a packet, ovs-vswitchd(8) "OFPROTO COMMANDS". */
import { DpifError } from '../../engine/dpif.ts'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import { composeFrame } from '../../protocols/odp/compose.ts'
import { parseOdpKey } from '../../protocols/odp/key-parse.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import { parseActions } from '../../protocols/openflow/text/action-parse.ts'
import { parseMatch } from '../../protocols/openflow/text/match-parse.ts'
import { FlowSyntaxError, parseHexBytes } from '../../protocols/openflow/text/scan.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import { connectionState } from './connection-state.ts'
import { blameOf } from './match-blame.ts'
import { ovsActions } from './megaflow-text.ts'
import { datapaths, type SwitchView } from './switch-view.ts'

const MANY = Number.MAX_SAFE_INTEGER
const USAGE = '{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]'

export function traceCommands(view: SwitchView): UnixctlCommand[] {
  return [
    { name: 'ofproto/trace', usage: USAGE, min: 1, max: MANY, run: (args) => trace(view, args, []) },
    {
      name: 'ofproto/trace-packet-out',
      usage: `[-consistent] ${USAGE} actions`,
      min: 2,
      max: MANY,
      run: (args) => trace(view, args.slice(0, -1), ['-consistent'], args.at(-1)),
    },
  ]
}

interface Options {
  readonly generate: boolean
  readonly names: boolean
  /** Of one ct() after the other. */
  readonly connectionStates: readonly number[]
  readonly rest: readonly string[]
}

/** @throws UnixctlError */
function splitOptions(args: readonly string[], further: readonly string[]): Options {
  const rest: string[] = []
  let generate = false
  let names = false
  const connectionStates: number[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (arg === '-generate') generate = true
    else if (arg === '--names' || arg === '--no-names') names = arg === '--names'
    else if (arg === '--ct-next') connectionStates.push(connectionState(args[++i]))
    else if (further.includes(arg)) continue
    else if (arg.startsWith('-')) throw new UnixctlError(`${arg}: unknown option`)
    else rest.push(arg)
  }
  if (rest.length > 3) throw new UnixctlError('too many arguments')
  return { generate, names, connectionStates, rest }
}

interface Packet {
  readonly bridge: string
  readonly flow: Uint32Array
  readonly inPort: number
}

/** A flow of the datapath, whose port says of which bridge it is. @throws UnixctlError */
async function datapathPacket(view: SwitchView, text: string, type: string | undefined): Promise<Packet> {
  const flow = parseOdpKey(text)
  const all = await datapaths(view)
  const chosen = type === undefined ? all : all.filter((datapath) => datapath.type === type)
  const port = chosen.flatMap(({ ports }) => ports).find(({ portNo }) => portNo === flow[W_IN_PORT])
  if (port === undefined) throw new UnixctlError(`no OpenFlow port for datapath port ${flow[W_IN_PORT]}`)
  flow[W_IN_PORT] = port.ofport
  return { bridge: port.bridge, flow, inPort: port.ofport }
}

async function bridgePacket(view: SwitchView, bridge: string, text: string): Promise<Packet> {
  const ports = (await view.dpif.ports()).filter((port) => port.bridge === bridge)
  const numberOf = (name: string) => ports.find((port) => port.name === name)?.ofport
  let flow: Uint32Array
  try {
    const match = parseMatch(text, { ports: { numberOf, nameOf: () => undefined } })
    flow = match.value
    if (match.mask[W_IN_PORT] === 0) flow[W_IN_PORT] = OFPP_ANY
  } catch (error) {
    if (!(error instanceof FlowSyntaxError)) throw error
    throw new UnixctlError(`Bad openflow flow syntax: ${text}: ${blameOf(text, numberOf, error.message)}`)
  }
  return { bridge, flow, inPort: flow[W_IN_PORT] }
}

function isOdp(text: string): boolean {
  try {
    parseOdpKey(text)
    return true
  } catch {
    return false
  }
}

async function packetOf(view: SwitchView, rest: readonly string[]): Promise<Packet> {
  const [first, second] = rest
  if (second === undefined) {
    if (isOdp(first)) return datapathPacket(view, first, undefined)
    throw new UnixctlError(`syntax error at ${first} (or the bridge name was omitted)`)
  }
  if (isOdp(second)) {
    const type = (await datapaths(view)).find((datapath) => first === `ovs-${datapath.type}`)?.type
    if (type === undefined) throw new UnixctlError('Cannot find the datapath')
    return datapathPacket(view, second, type)
  }
  if (!view.bridges().some((bridge) => bridge.name === first))
    throw new UnixctlError(`${first}: unknown bridge`)
  return bridgePacket(view, first, second)
}

/** The last argument, if it is a frame in hexadecimal. */
function takeFrame(rest: readonly string[]): { frame: Uint8Array | undefined; rest: readonly string[] } {
  const last = rest.at(-1)!
  const hex = rest.length === 3 || (rest.length === 2 && /^[0-9a-f\s.]+$/i.test(last) && !last.includes('='))
  if (!hex) return { frame: undefined, rest }
  try {
    return { frame: parseHexBytes(last, 'packet'), rest: rest.slice(0, -1) }
  } catch (error) {
    if (error instanceof FlowSyntaxError) throw new UnixctlError('Trailing garbage in packet data')
    throw error
  }
}

/** @throws UnixctlError */
function actionsOf(text: string | undefined): OfAction[] | undefined {
  if (text === undefined) return undefined
  try {
    return parseActions(text)
  } catch (error) {
    if (error instanceof FlowSyntaxError) throw new UnixctlError(error.message)
    throw error
  }
}

async function trace(
  view: SwitchView,
  args: readonly string[],
  further: readonly string[],
  actionText?: string,
): Promise<string> {
  const options = splitOptions(args, further)
  const { frame, rest } = takeFrame(options.rest)
  const { bridge, flow, inPort } = await packetOf(view, rest)
  const actions = actionsOf(actionText)
  const packet = frame ?? (options.generate ? composeFrame(flow) : flow)
  try {
    const lines = await view.dpif.trace(bridge, packet, inPort, {
      numbers: !options.names,
      names: options.names,
      connectionStates: options.connectionStates,
      ...(actions === undefined ? {} : { actions }),
    })
    return `${lines.map(ovsLine).join('\n')}\n`
  } catch (error) {
    if (error instanceof DpifError) throw new UnixctlError(`Bad actions: ${error.message}`)
    throw error
  }
}

function ovsLine(line: string): string {
  return line.startsWith('Datapath actions: ') ? ovsActions(line) : line
}
