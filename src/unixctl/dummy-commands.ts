/** netdev-dummy/… and dpif-dummy/…: ports in memory, for tests. */
import { DpifError } from '../../engine/dpif.ts'
import { composeFrame } from '../../protocols/odp/compose.ts'
import { parseOdpKey } from '../../protocols/odp/key-parse.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import type { DummyAddresses } from '../dummy/dummy-addresses.ts'
import { isMapped, parseIpPrefix } from '../tunnel/ip-prefix.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import { datapaths, type SwitchView } from './switch-view.ts'

/** How the streams of a port are connected; undefined for a port without. */
export type ConnectionStates = (port: string) => 'connected' | 'disconnected' | 'unknown'

const MANY = Number.MAX_SAFE_INTEGER
const MIN_FRAME = 14

export function dummyCommands(
  view: SwitchView,
  connectionState: ConnectionStates,
  addresses: DummyAddresses,
): UnixctlCommand[] {
  const ports = async () => (await view.dpif.ports()).filter((port) => port.type === 'memory')
  return [
    {
      name: 'netdev-dummy/receive',
      usage: 'name [--qid queue_id] packet|flow [--len packet_len]',
      min: 2,
      max: MANY,
      run: async ([name, ...rest]) => {
        if (!(await ports()).some((port) => port.name === name)) {
          throw new UnixctlError('no such dummy netdev')
        }
        await view.dpif.portInput(name, frames(rest))
        return ''
      },
    },
    {
      name: 'netdev-dummy/set-admin-state',
      usage: '[netdev] up|down',
      min: 1,
      max: 2,
      run: async (args) => {
        const state = args.at(-1)
        if (state !== 'up' && state !== 'down') throw new UnixctlError('Invalid Admin State')
        const all = await ports()
        const chosen = args.length === 1 ? all : all.filter((port) => port.name === args[0])
        if (args.length === 2 && chosen.length === 0) throw new UnixctlError('Unknown Dummy Interface')
        for (const port of chosen) await view.dpif.portLink(port.name, state)
        return 'OK'
      },
    },
    {
      name: 'dpif-dummy/change-port-number',
      usage: 'dp port new-number',
      min: 3,
      max: 3,
      run: async ([name, portName, digits]) => {
        const datapath = (await datapaths(view)).find(
          ({ type }) => type === 'dummy' && name === `ovs-${type}`,
        )
        if (datapath === undefined) throw new UnixctlError('unknown datapath or not a dummy')
        const port = datapath.ports.find((each) => each.name === portName && each.type === 'memory')
        if (port === undefined) throw new UnixctlError('unknown port')
        try {
          await view.dpif.portRenumber(port.name, Number.parseInt(digits, 10) || 0)
        } catch (error) {
          if (!(error instanceof DpifError)) throw error
          throw new UnixctlError(error.code === 'EEXIST' ? 'port number already in use' : 'bad port number')
        }
        return ''
      },
    },
    ...([4, 6] as const).map((version) => ({
      name: `netdev-dummy/ip${version}addr`,
      usage: version === 4 ? '[netdev] ipaddr/mask-prefix-len' : '[netdev] ip6addr',
      min: 2,
      max: 2,
      run: async ([name, text]: readonly string[]) => {
        if (!(await ports()).some((port) => port.name === name)) {
          throw new UnixctlError('Unknown Dummy Interface')
        }
        const prefix = parseIpPrefix(text)
        if (prefix === undefined || isMapped(prefix.address) !== (version === 4)) {
          throw new UnixctlError(`${text}: invalid IP${version === 4 ? '' : 'v6'} address`)
        }
        addresses.set(name, prefix)
        return 'OK'
      },
    })),
    {
      name: 'netdev-dummy/conn-state',
      usage: '[netdev]',
      min: 0,
      max: 1,
      run: async ([name]) => {
        const line = (port: string) => `${port}: ${connectionState(port)}\n`
        if (name !== undefined) return line(name)
        return (await ports())
          .map((port) => (connectionState(port.name) !== 'unknown' ? line(port.name) : ''))
          .join('')
      },
    },
  ]
}

/** Frames in hexadecimal, or flows to make frames of, each with options of its own. */
function frames(args: readonly string[]): Uint8Array[] {
  const out: Uint8Array[] = []
  for (let i = 0; i < args.length; i++) {
    // There is but one queue to receive by.
    if (args[i] === '--qid' && i === 0) {
      i++
      continue
    }
    const text = args[i]
    let length = 0
    if (args[i + 1] === '--len' && args[i + 2] !== undefined) {
      length = Number.parseInt(args[i + 2], 10) || 0
      i += 2
    }
    out.push(frame(text, length))
  }
  return out
}

/** @throws UnixctlError */
function frame(text: string, length: number): Uint8Array {
  if (/^(?:[0-9a-f]{2})+$/i.test(text) && text.length >= 2 * MIN_FRAME) {
    return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
  }
  try {
    return composeFrame(parseOdpKey(text), length)
  } catch (error) {
    if (error instanceof FlowSyntaxError) throw new UnixctlError(error.message)
    throw error
  }
}
