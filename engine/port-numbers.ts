/** Which numbers ports get: in the datapath, and of their bridge in OpenFlow. */
import { OFPP_LOCAL } from '../protocols/openflow/port.ts'
import { DpifError, type PortSpec } from './dpif.ts'
import { type Bridge, MAX_PORTS, type SwitchPort } from './ofproto/topology.ts'
import { isDevice } from './port-spec.ts'

/** Highest OpenFlow port number given out; those above have meanings of their own (OFPP_MAX). */
const MAX_OFPORT = 0xfeff
/** Added to the number in the name of a bridge's own port in memory. */
const BRIDGE_OFFSET = 100

/** Ports in memory are for tests: as in Open vSwitch, the number in their name is theirs (p1, br0 → 1, 100). */
function nameNumber({ name, kind }: PortSpec): number {
  if (kind.type !== 'memory') return 0
  const digits = /\d+/.exec(name)?.[0]
  if (digits === undefined) return 0
  return Number(digits) + (name.startsWith('br') ? BRIDGE_OFFSET : 0)
}

/** @throws DpifError when there are no more */
export function choosePortNo(ports: readonly (SwitchPort | undefined)[], spec: PortSpec): number {
  const named = nameNumber(spec)
  if (named > 0 && named < MAX_PORTS && ports[named] === undefined) return named
  if (isDevice(spec)) {
    for (let n = 1; n < MAX_PORTS; n++) if (ports[n] === undefined) return n
  } else {
    // Ports that only lead elsewhere within the switch leave the low numbers to devices.
    for (let n = MAX_PORTS - 1; n > 0; n--) if (ports[n] === undefined) return n
  }
  throw new DpifError('ENOSPC', 'the datapath is out of port numbers')
}

/** @throws DpifError when a port cannot have the number */
export function checkPortNo(ports: readonly (SwitchPort | undefined)[], portNo: number): void {
  if (!(Number.isInteger(portNo) && portNo >= 1 && portNo < MAX_PORTS)) {
    throw new DpifError('EINVAL', `port number ${portNo} is not from 1 to ${MAX_PORTS - 1}`)
  }
  if (ports[portNo] !== undefined) throw new DpifError('EEXIST', `port number ${portNo} is taken`)
}

/**
 * @param old the port that it replaces
 * @throws DpifError when the number asked for cannot be had, or none
 */
export function chooseOfport(bridge: Bridge, spec: PortSpec, old: SwitchPort | undefined): number {
  // The port that has the bridge's name is the one by which the machine itself takes part.
  if (spec.name === bridge.spec.name) return OFPP_LOCAL
  if (spec.ofport !== undefined && !(spec.ofport >= 1 && spec.ofport <= MAX_OFPORT)) {
    throw new DpifError('EINVAL', `port ${spec.name}: ofport ${spec.ofport} is not from 1 to ${MAX_OFPORT}`)
  }
  const wanted = spec.ofport ?? (old?.bridge === bridge ? old.ofport : undefined)
  if (wanted !== undefined) {
    const holder = bridge.portByNumber(wanted)
    if (holder !== undefined && holder !== old) {
      throw new DpifError('EEXIST', `port ${spec.name}: ofport ${wanted} is taken on ${bridge.spec.name}`)
    }
    return wanted
  }
  const n = bridge.freeNumber()
  if (n > MAX_OFPORT) throw new DpifError('ENOSPC', `bridge ${bridge.spec.name} is out of port numbers`)
  return n
}
