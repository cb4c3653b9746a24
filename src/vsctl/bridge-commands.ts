/** Bridges: "Bridge Commands" in ovs-vsctl(8). */

import { type Datum, scalar } from '../../protocols/ovsdb/datum.ts'
import { subtract, union } from '../../protocols/ovsdb/datum-algebra.ts'
import { addReference, type Bridge, childOn, removeReference, setOf, TOPOLOGY, Topology } from './bridges.ts'
import { type Call, command, type Needs, type VsctlCommand, VsctlError } from './command.ts'
import type { DraftRow } from './draft.ts'
import { deletePort, insertInterface, insertPort } from './topology-edit.ts'

/** What is written on a command line where a VLAN is wanted; what atoi(3) makes of it. */
function parseVlan(call: Call, word: string): number {
  const vlan = Number.parseInt(word, 10) || 0
  if (vlan < 0 || vlan > 4095) throw new VsctlError(`${call.command.name}: vlan must be between 0 and 4095`)
  return vlan
}

function addBridge(call: Call): void {
  const [name, parentName, vlanText] = call.args
  if (name === '') throw new VsctlError('bridge name must not be empty string')
  if (call.args.length === 2) throw new VsctlError("'add-br' command takes exactly 1 or 3 arguments")
  const vlan = parentName === undefined ? 0 : parseVlan(call, vlanText)
  const topology = new Topology(call.session)
  const known = call.has('--may-exist') ? topology.findBridge(name) : undefined
  if (known !== undefined) {
    checkSame(known, parentName, vlan)
    return
  }
  topology.checkConflicts(name, `cannot create a bridge named ${name}`)
  if (parentName !== undefined) addFakeBridge(call, topology, parentName, vlan)
  else {
    const bridge = call.draft.insert('Bridge')
    bridge.set('name', scalar(name))
    bridge.set('ports', setOf([insertPort(call, name, [insertInterface(call, name, 'internal')])]))
    addReference(call.session.root, 'bridges', bridge)
  }
}

function addFakeBridge(call: Call, topology: Topology, parentName: string, vlan: number): void {
  const [name] = call.args
  const parent = topology.findBridge(parentName)
  if (parent === undefined) throw new VsctlError(`parent bridge ${parentName} does not exist`)
  if (parent.parent !== undefined) throw new VsctlError('cannot create bridge with fake bridge as parent')
  const conflict = childOn(parent, vlan)
  if (conflict !== undefined) {
    throw new VsctlError(
      `bridge ${parentName} already has a child VLAN bridge ${conflict.name} on VLAN ${vlan}`,
    )
  }
  const port = insertPort(call, name, [insertInterface(call, name, 'internal')])
  port.set('fake_bridge', scalar(true))
  port.set('tag', scalar(vlan))
  addReference(parent.row, 'ports', port)
}

/** "--may-exist" is content with the very same bridge only. */
function checkSame(bridge: Bridge, parentName: string | undefined, vlan: number): void {
  const { name, parent } = bridge
  const wrong = (what: string) => {
    const args = parentName === undefined ? name : `${name} ${parentName} ${vlan}`
    return new VsctlError(`"--may-exist add-br ${args}" but ${name} ${what}`)
  }
  if (parentName === undefined) {
    if (parent !== undefined) throw wrong(`is a VLAN bridge for VLAN ${bridge.vlan}`)
  } else if (parent === undefined) throw wrong('is not a VLAN bridge')
  else if (parent.name !== parentName) throw wrong(`has the wrong parent ${parent.name}`)
  else if (bridge.vlan !== vlan) throw wrong(`is a VLAN bridge for the wrong VLAN ${bridge.vlan}`)
}

function deleteBridge(call: Call): void {
  const topology = new Topology(call.session)
  const [name] = call.args
  const bridge = call.has('--if-exists') ? topology.findBridge(name) : topology.bridge(name)
  if (bridge !== undefined) remove(call, bridge)
}

function remove(call: Call, bridge: Bridge): void {
  const { draft, session } = call
  for (const child of bridge.children) remove(call, child)
  for (const port of bridge.ports) deletePort(call, port)
  if (bridge.parent !== undefined) return
  for (const set of draft.rows('Flow_Sample_Collector_Set')) {
    if (set.get('bridge').keys[0] === bridge.row.uuid) draft.delete(set)
  }
  draft.delete(bridge.row)
  removeReference(session.root, 'bridges', bridge.row)
}

function listBridges(call: Call): void {
  const both = call.has('--real') === call.has('--fake')
  const { bridges } = new Topology(call.session)
  const wanted = [...bridges.values()].filter(
    ({ parent }) => both || call.has(parent === undefined ? '--real' : '--fake'),
  )
  call.printSorted(wanted.map(({ name }) => name))
}

function bridgeExists(call: Call): void {
  if (new Topology(call.session).findBridge(call.args[0]) === undefined) throw new VsctlError('', 2)
}

function bridgeToVlan(call: Call): void {
  call.print(String(new Topology(call.session).bridge(call.args[0]).vlan))
}

function bridgeToParent(call: Call): void {
  const bridge = new Topology(call.session).bridge(call.args[0])
  call.print((bridge.parent ?? bridge).name)
}

/** Where the external IDs of a bridge are, a fake one's with a prefix among those of its port. */
function externalIds(call: Call): { readonly row: DraftRow; readonly prefix: string } {
  const topology = new Topology(call.session)
  const bridge = topology.bridge(call.args[0])
  const found =
    bridge.parent === undefined
      ? { row: bridge.row, prefix: '' }
      : { row: topology.ports.get(bridge.name)!.row, prefix: 'fake-bridge-' }
  found.row.verify('external_ids')
  return found
}

function setExternalId(call: Call): void {
  const [, key, value] = call.args
  const { row, prefix } = externalIds(call)
  const keys = [prefix + key]
  const ids: Datum = row.get('external_ids')
  row.set(
    'external_ids',
    value === undefined ? subtract(ids, { keys }) : union({ keys, values: [value] }, ids),
  )
}

function getExternalId(call: Call): void {
  const [, key] = call.args
  const { row, prefix } = externalIds(call)
  const { keys, values } = row.get('external_ids')
  keys.forEach((each, i) => {
    const name = String(each)
    if (!name.startsWith(prefix)) return
    const id = name.slice(prefix.length)
    if (key === undefined) call.print(`${id}=${values![i]}`)
    else if (id === key) call.print(String(values![i]))
  })
}

const IDS: Needs = {
  ...TOPOLOGY,
  Bridge: [...TOPOLOGY.Bridge!, 'external_ids'],
  Port: [...TOPOLOGY.Port!, 'external_ids'],
}
const DELETION: Needs = { ...TOPOLOGY, Flow_Sample_Collector_Set: ['bridge'] }

export const BRIDGE_COMMANDS: readonly VsctlCommand[] = [
  command('add-br', 'NEW-BRIDGE [PARENT] [NEW-VLAN]', [1, 3], TOPOLOGY, addBridge, ['--may-exist']),
  command('del-br', 'BRIDGE', [1, 1], DELETION, deleteBridge, ['--if-exists']),
  command('list-br', '', [0, 0], TOPOLOGY, listBridges, ['--real', '--fake']),
  command('br-exists', 'BRIDGE', [1, 1], TOPOLOGY, bridgeExists),
  command('br-to-vlan', 'BRIDGE', [1, 1], TOPOLOGY, bridgeToVlan),
  command('br-to-parent', 'BRIDGE', [1, 1], TOPOLOGY, bridgeToParent),
  command('br-set-external-id', 'BRIDGE KEY [VALUE]', [2, 3], IDS, setExternalId),
  command('br-get-external-id', 'BRIDGE [KEY]', [1, 2], IDS, getExternalId),
]
