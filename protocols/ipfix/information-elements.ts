/**
 * The information elements that Open vSwitch exports (IANA "IPFIX Information Elements", RFC 7012; and one of
 * an enterprise's own). Their identifiers and lengths stand in templates, RFC 7011 §3.2.
 */

export interface InformationElement {
  readonly name: string
  readonly id: number
  /** Bytes of a value, or VARIABLE. */
  readonly length: number
  /** IANA private enterprise number; 0 for elements of the IETF. */
  readonly enterprise: number
}

/** Field length of elements whose values say their length themselves, RFC 7011 §7. */
export const VARIABLE = 0xffff

/** Marks an element of an enterprise, whose number follows. */
export const ENTERPRISE_BIT = 0x8000

const VMWARE = 6876

const STANDARD = `
octetDeltaCount 1 8
packetDeltaCount 2 8
protocolIdentifier 4 1
ipClassOfService 5 1
sourceTransportPort 7 2
sourceIPv4Address 8 4
ingressInterface 10 4
destinationTransportPort 11 2
destinationIPv4Address 12 4
egressInterface 14 4
postMCastPacketDeltaCount 19 8
postMCastOctetDeltaCount 20 8
minimumIpTotalLength 25 8
maximumIpTotalLength 26 8
sourceIPv6Address 27 16
destinationIPv6Address 28 16
flowLabelIPv6 31 4
sourceMacAddress 56 6
vlanId 58 2
ipVersion 60 1
flowDirection 61 1
destinationMacAddress 80 6
interfaceName 82 variable
interfaceDescription 83 variable
octetTotalCount 85 8
packetTotalCount 86 8
droppedOctetDeltaCount 132 8
droppedPacketDeltaCount 133 8
droppedOctetTotalCount 134 8
droppedPacketTotalCount 135 8
flowEndReason 136 1
observationPointId 138 4
exportingProcessId 144 4
flowStartDeltaMicroseconds 158 4
flowEndDeltaMicroseconds 159 4
notSentPacketTotalCount 167 8
postMCastPacketTotalCount 174 8
postMCastOctetTotalCount 175 8
icmpTypeIPv4 176 1
icmpCodeIPv4 177 1
icmpTypeIPv6 178 1
icmpCodeIPv6 179 1
ipTTL 192 1
ipDiffServCodePoint 195 1
ipPrecedence 196 1
octetDeltaSumOfSquares 198 8
octetTotalSumOfSquares 199 8
tcpSynTotalCount 218 8
tcpFinTotalCount 219 8
tcpRstTotalCount 220 8
tcpPshTotalCount 221 8
tcpAckTotalCount 222 8
tcpUrgTotalCount 223 8
ethernetHeaderLength 240 1
dot1qVlanId 243 2
dot1qPriority 244 1
ethernetType 256 2
layer2OctetDeltaCount 352 8
layer2OctetTotalCount 353 8
ingressUnicastPacketTotalCount 354 8
ingressMulticastPacketTotalCount 355 8
ingressBroadcastPacketTotalCount 356 8
egressUnicastPacketTotalCount 357 8
egressBroadcastPacketTotalCount 358 8
ingressInterfaceType 368 4
egressInterfaceType 369 4
`

const BY_NAME = new Map<string, InformationElement>(
  STANDARD.trim()
    .split('\n')
    .map((line) => {
      const [name, id, length] = line.split(' ')
      return [
        name,
        { name, id: Number(id), length: length === 'variable' ? VARIABLE : Number(length), enterprise: 0 },
      ]
    }),
)
BY_NAME.set('virtualObsID', { name: 'virtualObsID', id: 898, length: VARIABLE, enterprise: VMWARE })

/** Elements by their names, separated by spaces. */
export function elements(names: string): InformationElement[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => {
      const element = BY_NAME.get(name)
      if (element === undefined) throw new Error(`no information element ${name}`)
      return element
    })
}
