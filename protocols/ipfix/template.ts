/**
 * The templates of Open vSwitch: one for each combination of what a packet is made of. Their numbers are Open
 * vSwitch's too, which leave room for tunnels; those are not exported.
 */
import { elements, type InformationElement } from './information-elements.ts'

/** What decides which template describes a packet. */
export interface Shape {
  readonly vlan: boolean
  readonly network: 'other' | 'ipv4' | 'ipv6'
  readonly transport: 'other' | 'tcp' | 'udp' | 'sctp' | 'icmp'
  readonly egress: boolean
}

const NETWORKS = ['other', 'ipv4', 'ipv6'] as const
const TRANSPORTS = ['other', 'tcp', 'udp', 'sctp', 'icmp'] as const
const TUNNELS = 2
const DIRECTIONS = 2
const FIRST_ID = 256

/** Number of the options template about the exporter itself: where the numbers of all others end. */
export const EXPORTER_STATS_ID = idOf(2, 3, 5, 2, 2)
/** Its fields, of which the first is the scope. */
export const EXPORTER_STATS = elements('exportingProcessId notSentPacketTotalCount')

function idOf(vlan: number, network: number, transport: number, tunnel: number, direction: number): number {
  const layers = (vlan * NETWORKS.length + network) * TRANSPORTS.length + transport
  return FIRST_ID + (layers * TUNNELS + tunnel) * DIRECTIONS + direction
}

export function templateId({ vlan, network, transport, egress }: Shape): number {
  return idOf(vlan ? 1 : 0, NETWORKS.indexOf(network), TRANSPORTS.indexOf(transport), 0, egress ? 1 : 0)
}

/** Every combination there is, in order of the numbers. */
const SHAPES: readonly Shape[] = [false, true].flatMap((vlan) =>
  NETWORKS.flatMap((network) =>
    TRANSPORTS.filter((transport) => network !== 'other' || transport === 'other').flatMap((transport) =>
      [false, true].map((egress) => ({ vlan, network, transport, egress })),
    ),
  ),
)

const COMMON = `observationPointId flowDirection sourceMacAddress destinationMacAddress ethernetType
  ethernetHeaderLength ingressInterface ingressInterfaceType interfaceName interfaceDescription`
const EGRESS = 'egressInterface egressInterfaceType interfaceName interfaceDescription'
const VLAN = 'vlanId dot1qVlanId dot1qPriority'
const IP = 'ipVersion ipTTL protocolIdentifier ipDiffServCodePoint ipPrecedence ipClassOfService'
const IPV4 = 'sourceIPv4Address destinationIPv4Address'
const IPV6 = 'sourceIPv6Address destinationIPv6Address flowLabelIPv6'
const PORTS = 'sourceTransportPort destinationTransportPort'
const ICMPV4 = 'icmpTypeIPv4 icmpCodeIPv4'
const ICMPV6 = 'icmpTypeIPv6 icmpCodeIPv6'
const COUNTS = `flowStartDeltaMicroseconds flowEndDeltaMicroseconds droppedPacketDeltaCount
  droppedPacketTotalCount packetDeltaCount packetTotalCount ingressUnicastPacketTotalCount
  ingressMulticastPacketTotalCount ingressBroadcastPacketTotalCount egressUnicastPacketTotalCount
  egressBroadcastPacketTotalCount postMCastPacketDeltaCount postMCastPacketTotalCount layer2OctetDeltaCount
  layer2OctetTotalCount flowEndReason`
const IP_COUNTS = `droppedOctetDeltaCount droppedOctetTotalCount octetDeltaCount octetTotalCount
  octetDeltaSumOfSquares octetTotalSumOfSquares minimumIpTotalLength maximumIpTotalLength
  postMCastOctetDeltaCount postMCastOctetTotalCount`
const TCP_COUNTS = `tcpAckTotalCount tcpFinTotalCount tcpPshTotalCount tcpRstTotalCount tcpSynTotalCount
  tcpUrgTotalCount`

/**
 * The fields of a template: the flow's key, then what is counted.
 * @param virtualObsId whether the exporter has a virtual observation id, which stands between
 */
function fields({ vlan, network, transport, egress }: Shape, virtualObsId: boolean): InformationElement[] {
  const ip = network !== 'other'
  const names = [
    COMMON,
    egress ? EGRESS : '',
    vlan ? VLAN : '',
    ip ? IP : '',
    network === 'ipv4' ? IPV4 : network === 'ipv6' ? IPV6 : '',
    transport === 'icmp' ? (network === 'ipv4' ? ICMPV4 : ICMPV6) : transport === 'other' ? '' : PORTS,
    virtualObsId ? 'virtualObsID' : '',
    COUNTS,
    ip ? IP_COUNTS : '',
    transport === 'tcp' ? TCP_COUNTS : '',
  ]
  return elements(names.join(' '))
}

export interface Template {
  readonly id: number
  readonly fields: readonly InformationElement[]
}

const templates: Template[][] = []

/**
 * All of them; made when somebody first exports.
 * @param virtualObsId whether the exporter has a virtual observation id
 */
export function templatesOf(virtualObsId: boolean): readonly Template[] {
  templates[Number(virtualObsId)] ??= SHAPES.map((shape) => ({
    id: templateId(shape),
    fields: fields(shape, virtualObsId),
  }))
  return templates[Number(virtualObsId)]
}
