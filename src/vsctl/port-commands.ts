/** Ports, bonds and their interfaces: "Port Commands", "Bond Commands", "Interface Commands" in ovs-vsctl(8). */

import { scalar } from '../../protocols/ovsdb/datum.ts'
import { addReference, type Port, removeReference, TOPOLOGY, Topology } from './bridges.ts'
import { type Call, command, type Needs, type VsctlCommand, VsctlError } from './command.ts'
import { setColumn } from './database-commands.ts'
import { deletePort, insertInterface, insertPort } from './topology-edit.ts'

const MANY = Number.POSITIVE_INFINITY

interface NewPort {
  readonly bridge: string
  readonly name: string
  readonly interfaces: readonly string[]
  /** `COLUMN=VALUE` for the port. */
  readonly settings: readonly string[]
}

function addPort(call: Call, wanted: NewPort): void {
  const { name, interfaces, settings } = wanted
  if (name === '') throw new VsctlError('port name must not be empty string')
  if (interfaces.includes('')) throw new VsctlError('interface name must not be empty string')
  const topology = new Topology(call.session)
  const known = call.has('--may-exist') ? topology.findPort(name) : undefined
  if (known !== undefined) {
    checkSame(call, known, wanted)
    return
  }
  topology.checkConflicts(name, `cannot create a port named ${name}`)
  for (const each of interfaces) topology.checkConflicts(each, `cannot create an interface named ${each}`)
  const bridge = topology.bridge(wanted.bridge)
  const rows = interfaces.map((each) => insertInterface(call, each))
  const port = insertPort(call, name, rows)
  if (call.has('--fake-iface')) port.set('bond_fake_iface', scalar(true))
  if (bridge.parent !== undefined) port.set('tag', scalar(bridge.vlan))
  for (const setting of settings) setColumn(port, setting, call.resolve)
  addReference(bridge.row, 'ports', port)
}

/** "--may-exist" is content with a port of the same bridge with the same interfaces only. */
function checkSame(call: Call, port: Port, wanted: NewPort): void {
  if (port.bridge.name !== wanted.bridge) {
    throw new VsctlError(`"${call}" but ${port.name} is actually attached to bridge ${port.bridge.name}`)
  }
  const have = port.interfaces.map(({ name }) => name).sort()
  const same =
    have.length === wanted.interfaces.length && [...wanted.interfaces].sort().every((n, i) => n === have[i])
  if (!same) throw new VsctlError(`"${call}" but ${port.name} actually has interface(s) ${have.join(', ')}`)
}

function addOnePort(call: Call): void {
  const [bridge, name, ...settings] = call.args
  addPort(call, { bridge, name, interfaces: [name], settings })
}

function addBond(call: Call): void {
  const [bridge, name, ...rest] = call.args
  const settingsAt = rest.findIndex((word) => word.includes('='))
  const n = settingsAt < 0 ? rest.length : settingsAt
  if (n < 2) throw new VsctlError(`add-bond requires at least 2 interfaces, but only ${n} were specified`)
  addPort(call, { bridge, name, interfaces: rest.slice(0, n), settings: rest.slice(n) })
}

function addBondInterface(call: Call): void {
  const [portName, name] = call.args
  const topology = new Topology(call.session)
  const port = topology.port(portName)
  const known = call.has('--may-exist') ? topology.findInterface(name) : undefined
  if (known !== undefined) {
    if (known.port === port) return
    throw new VsctlError(`"${call}" but ${name} is actually attached to port ${known.port.name}`)
  }
  topology.checkConflicts(name, `cannot create an interface named ${name}`)
  addReference(port.row, 'interfaces', insertInterface(call, name))
}

function deleteBondInterface(call: Call): void {
  const name = call.args.at(-1)!
  const portName = call.args.length > 1 ? call.args[0] : undefined
  const topology = new Topology(call.session)
  const found = call.has('--if-exists') ? topology.findInterface(name) : topology.interface(name)
  if (found === undefined) return
  const { port } = found
  if (portName !== undefined && topology.port(portName) !== port) {
    throw new VsctlError(`port ${portName} does not have an interface ${name}`)
  }
  if (port.interfaces.length === 1)
    throw new VsctlError(`cannot delete last interface from port ${port.name}`)
  removeReference(port.row, 'interfaces', found.row)
  call.draft.delete(found.row)
}

function deleteOnePort(call: Call): void {
  const port = portToDelete(call, call.args.at(-1)!)
  if (port !== undefined) deletePort(call, port)
}

function portToDelete(call: Call, name: string): Port | undefined {
  const topology = new Topology(call.session)
  const mustExist = !call.has('--if-exists')
  if (topology.findBridge(name) !== undefined) {
    if (!mustExist) return undefined
    throw new VsctlError(
      `cannot delete port ${name} because it is the local port for bridge ${name} (deleting this port requires deleting the entire bridge)`,
    )
  }
  const withInterface = call.has('--with-iface')
  const port = topology.findPort(name) ?? (withInterface ? topology.findInterface(name)?.port : undefined)
  if (port === undefined) {
    if (!mustExist) return undefined
    throw new VsctlError(`no port ${withInterface ? 'or interface ' : ''}named ${name}`)
  }
  if (call.args.length > 1) checkBelongs(topology, port, call.args[0], name)
  return port
}

function checkBelongs(topology: Topology, port: Port, bridgeName: string, name: string): void {
  const bridge = topology.bridge(bridgeName)
  if (port.bridge === bridge) return
  const child = port.bridge.parent === bridge ? ` (although its child bridge ${port.bridge.name} does)` : ''
  throw new VsctlError(`bridge ${bridgeName} does not have a port ${name}${child}`)
}

function listPorts(call: Call): void {
  const bridge = new Topology(call.session).bridge(call.args[0])
  bridge.row.verify('ports')
  call.printSorted(bridge.ports.map(({ name }) => name).filter((name) => name !== bridge.name))
}

function listInterfaces(call: Call): void {
  const topology = new Topology(call.session)
  const bridge = topology.bridge(call.args[0])
  topology.verifyPorts()
  const names = bridge.ports.flatMap(({ interfaces }) => interfaces.map(({ name }) => name))
  call.printSorted(names.filter((name) => name !== bridge.name))
}

function portToBridge(call: Call): void {
  call.print(new Topology(call.session).port(call.args[0]).bridge.name)
}

function interfaceToBridge(call: Call): void {
  call.print(new Topology(call.session).interface(call.args[0]).port.bridge.name)
}

/** A port may be given any of its columns. */
const ADDITION: Needs = { ...TOPOLOGY, Port: undefined }

export const PORT_COMMANDS: readonly VsctlCommand[] = [
  command('list-ports', 'BRIDGE', [1, 1], TOPOLOGY, listPorts),
  command('add-port', 'BRIDGE NEW-PORT [COLUMN[:KEY]=VALUE]...', [2, MANY], ADDITION, addOnePort, [
    '--may-exist',
  ]),
  command('del-port', '[BRIDGE] PORT|IFACE', [1, 2], TOPOLOGY, deleteOnePort, [
    '--if-exists',
    '--with-iface',
  ]),
  command('port-to-br', 'PORT', [1, 1], TOPOLOGY, portToBridge),
  command('add-bond', 'BRIDGE BOND IFACE... [COLUMN[:KEY]=VALUE]...', [4, MANY], ADDITION, addBond, [
    '--may-exist',
    '--fake-iface',
  ]),
  command('add-bond-iface', 'BOND IFACE', [2, 2], TOPOLOGY, addBondInterface, ['--may-exist']),
  command('del-bond-iface', '[BOND] IFACE', [1, 2], TOPOLOGY, deleteBondInterface, ['--if-exists']),
  command('list-ifaces', 'BRIDGE', [1, 1], TOPOLOGY, listInterfaces),
  command('iface-to-br', 'IFACE', [1, 1], TOPOLOGY, interfaceToBridge),
]
