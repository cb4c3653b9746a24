import type { ThreadDpif } from '../../engine/dpif-thread.ts'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import { type Match, matchInPort } from '../../protocols/openflow/match.ts'
import { parseMatch } from '../../protocols/openflow/text/match-parse.ts'
import { FlowSyntaxError, parseHexBytes } from '../../protocols/openflow/text/scan.ts'
import { EXIT_USAGE } from '../cli/exit-codes.ts'
import type { TraceParams } from '../control/protocol.ts'
import { CliError } from '../errors.ts'

/** What tracing needs of the switch. */
export interface TracedSwitch {
  readonly dpif: Pick<ThreadDpif, 'trace' | 'ports'>
  readonly network: { readonly bridges: readonly { readonly name: string }[] }
}

const HINT = 'A flow is written as for ovs-ofctl(8): in_port=1,tcp,nw_dst=10.0.0.1,tp_dst=80.'

function problem(message: string, hint = HINT): CliError {
  return new CliError(message, { code: EXIT_USAGE, hint })
}

/** Parameters come from strangers. @throws CliError that says what is wrong with them */
export async function traceHandler(lab: TracedSwitch, params: TraceParams): Promise<readonly string[]> {
  const { bridge, flow, packet } = params
  if (typeof bridge !== 'string' || typeof flow !== 'string')
    throw problem('A trace needs a bridge and a flow.')
  if (packet !== undefined && typeof packet !== 'string') throw problem('The packet is not hexadecimal text.')
  const bridges = lab.network.bridges.map((b) => b.name)
  if (!bridges.includes(bridge)) {
    throw problem(`There is no bridge "${bridge}".`, `Bridges are: ${bridges.join(', ')}`)
  }
  const ports = (await lab.dpif.ports()).filter((port) => port.bridge === bridge)
  const numberOf = (name: string): number | undefined => ports.find((port) => port.name === name)?.ofport
  let match: Match
  let frame: Uint8Array | undefined
  try {
    match = parseMatch(flow, { ports: { numberOf, nameOf: () => undefined } })
    frame = packet === undefined ? undefined : parseHexBytes(packet, 'packet')
  } catch (error) {
    throw error instanceof FlowSyntaxError ? problem(`${error.message}.`) : error
  }
  const inPort = matchInPort(match)
  if (inPort === undefined || !ports.some((port) => port.ofport === inPort)) {
    const known = ports.map((port) => port.name).join(', ')
    throw problem(
      inPort === undefined ? 'The flow does not say in_port.' : `${bridge} has no such in_port.`,
      `Ports of ${bridge} are: ${known}`,
    )
  }
  match.value[W_IN_PORT] = inPort
  return lab.dpif.trace(bridge, frame ?? match.value, inPort)
}
