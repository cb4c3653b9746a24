import {
  choice,
  cidr,
  flag,
  IFNAME_PATTERN,
  ifname,
  integer,
  mac,
  mtu,
  named,
  PORT_NAME_PATTERN,
  record,
  text,
} from './fields.ts'
import { ipfixShape } from './ipfix.ts'
import { openflowShape } from './openflow.ts'
import { qosShape } from './qos.ts'
import { vlanShape } from './vlan.ts'
import type { z } from './zod.ts'

export const PORT_TYPES = ['tap', 'system', 'internal', 'patch', 'dummy'] as const

const PortSchema = record(
  () => ({
    type: choice(PORT_TYPES, {
      description:
        'tap: a TAP device for a program or virtual machine to use. system: an existing interface, for example a NIC. internal: a device of the machine itself. patch: one end of a wire between two bridges. dummy: a port in memory only, for tests.',
      default: 'tap',
    }).default('tap'),
    device: ifname({
      description: 'Name of the Linux interface; needed on system ports when it is not the name of the port.',
      examples: ['eno1'],
    }).optional(),
    peer: text(PORT_NAME_PATTERN, 'the name of a patch port', {
      description: 'Patch ports: name of the patch port at the other end.',
      examples: ['to-ex'],
    }).optional(),
    address: cidr({
      description: 'Internal ports: address of the machine on this port.',
      examples: ['192.168.100.22/24'],
    }).optional(),
    moveAddress: flag({
      description:
        "System ports: while the switch runs, the addresses and routes of the device stand on the bridge's internal port; they are given back when it stops.",
      default: false,
    }).optional(),
    mac: mac({ description: 'TAP, internal and dummy ports: MAC address of the device.' }).optional(),
    mtu: mtu.optional(),
    ofport: integer(1, 65279, 'an OpenFlow port number', {
      description: 'OpenFlow port number; the next free one when absent.',
      examples: [1],
    }).optional(),
    ...vlanShape(),
    ...qosShape(),
  }),
  {
    description: 'A port of the bridge.',
    examples: [{ type: 'system', device: 'eno1' }, { tag: 10 }],
  },
)

const BridgeSchema = record(
  () => ({
    address: cidr({
      description:
        "Address of the machine itself in this network, on the bridge's internal port, which has the name of the bridge.",
      examples: ['192.168.100.21/24'],
    }).optional(),
    internal: flag({
      description:
        'Whether the machine has a device of the name of the bridge in this network, even without an address.',
      default: false,
    }).optional(),
    mac: mac({
      description: 'MAC address of the internal port; derived from the name when absent.',
    }).optional(),
    mtu: mtu.optional(),
    datapathId: text('[0-9A-Fa-f]{16}', '16 hexadecimal digits', {
      description: 'OpenFlow datapath id; the MAC address with leading zeros when absent.',
      examples: ['0000000000000001'],
    }).optional(),
    agingTime: integer(1, 1_000_000, 'a number of seconds', {
      description:
        'Seconds after which a MAC address that is not heard of is forgotten (802.1Q ageing time).',
      default: 300,
    }).optional(),
    macTableSize: integer(10, 1_000_000, 'a number of addresses', {
      description: 'MAC addresses the bridge remembers at the most.',
      default: 8192,
    }).optional(),
    forwardBpdu: flag({
      description: 'Whether frames to the reserved addresses 01:80:C2:00:00:0X are forwarded.',
      default: false,
    }).optional(),
    ...openflowShape(),
    ...ipfixShape(),
    ports: named(PortSchema, {
      description: 'Ports by name. Interfaces of hosts and routers need none: they name their bridge.',
      names: PORT_NAME_PATTERN,
    }).optional(),
    ...vlanShape(),
    ...qosShape(),
  }),
  { description: 'A learning switch.', examples: [{}, { address: '192.168.100.21/24' }] },
)

export const BridgesSchema = named(BridgeSchema, {
  description: 'Bridges by name.',
  names: IFNAME_PATTERN,
})

export type BridgeInput = z.input<typeof BridgeSchema>
export type PortInput = z.input<typeof PortSchema>
