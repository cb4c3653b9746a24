/**
 * Bridges, ports and interfaces as `ovs-vsctl` speaks of them, found in the tables of a draft. A fake bridge is a port
 * of a bridge (its parent) that stands for one VLAN of it: the ports of that VLAN count as ports of the fake bridge.
 */

import type { Datum } from '../../protocols/ovsdb/datum.ts'
import { datumOf } from '../../protocols/ovsdb/datum.ts'
import { type Needs, type Session, VsctlError } from './command.ts'
import type { DraftRow } from './draft.ts'

/** The columns that make it up. */
export const TOPOLOGY: Needs = {
  Open_vSwitch: ['bridges'],
  Bridge: ['name', 'controller', 'fail_mode', 'ports'],
  Port: ['name', 'fake_bridge', 'tag', 'interfaces'],
  Interface: ['name', 'ofport', 'error'],
}

export interface Bridge {
  readonly name: string
  /** Of the bridge itself; of a fake one its parent's. */
  readonly row: DraftRow
  readonly parent: Bridge | undefined
  /** 0 of one that is not fake. */
  readonly vlan: number
  readonly children: Bridge[]
  readonly ports: Port[]
}

export interface Port {
  readonly name: string
  readonly row: DraftRow
  readonly bridge: Bridge
  readonly interfaces: Interface[]
}

export interface Interface {
  readonly name: string
  readonly row: DraftRow
  readonly port: Port
}

export function text(row: DraftRow, column: string): string {
  return String(row.get(column).keys[0] ?? '')
}

export function references(row: DraftRow, column: string): readonly string[] {
  return row.get(column).keys as readonly string[]
}

export function setOf(rows: readonly DraftRow[]): Datum {
  return datumOf(rows.map(({ uuid }) => uuid))
}

/** The set with one reference more. */
export function addReference(row: DraftRow, column: string, to: DraftRow): void {
  row.set(column, datumOf([...references(row, column), to.uuid]))
}

export function removeReference(row: DraftRow, column: string, to: DraftRow): void {
  row.set(column, { keys: references(row, column).filter((uuid) => uuid !== to.uuid) })
}

function vlanOf(port: DraftRow): number | undefined {
  const tag = port.get('tag').keys[0]
  return tag === undefined ? undefined : Number(tag)
}

const isFakeBridge = (port: DraftRow) =>
  port.get('fake_bridge').keys[0] === true && vlanOf(port) !== undefined

export class Topology {
  readonly bridges = new Map<string, Bridge>()
  readonly ports = new Map<string, Port>()
  readonly interfaces = new Map<string, Interface>()
  readonly #session: Session
  #verified = false

  /** As the draft is now; what commands change afterwards is not in it. */
  constructor(session: Session) {
    this.#session = session
    const { draft, root } = session
    const rows = references(root, 'bridges').flatMap((uuid) => draft.row('Bridge', uuid) ?? [])
    const real = rows.map((row) => this.#addBridge(row))
    for (const bridge of real) this.#addPorts(bridge)
  }

  #rows(row: DraftRow, column: string, table: string): DraftRow[] {
    return references(row, column).flatMap((uuid) => this.#session.draft.row(table, uuid) ?? [])
  }

  #addBridge(row: DraftRow): Bridge {
    const bridge: Bridge = {
      name: text(row, 'name'),
      row,
      parent: undefined,
      vlan: 0,
      children: [],
      ports: [],
    }
    this.bridges.set(bridge.name, bridge)
    for (const port of this.#rows(row, 'ports', 'Port')) {
      const name = text(port, 'name')
      if (!isFakeBridge(port) || this.bridges.has(name)) continue
      const fake: Bridge = { name, row, parent: bridge, vlan: vlanOf(port)!, children: [], ports: [] }
      bridge.children.push(fake)
      this.bridges.set(name, fake)
    }
    return bridge
  }

  #addPorts(bridge: Bridge): void {
    for (const row of this.#rows(bridge.row, 'ports', 'Port')) {
      const vlan = vlanOf(row)
      const owner = vlan === undefined ? bridge : (childOn(bridge, vlan) ?? bridge)
      const port: Port = { name: text(row, 'name'), row, bridge: owner, interfaces: [] }
      owner.ports.push(port)
      this.ports.set(port.name, port)
      for (const each of this.#rows(row, 'interfaces', 'Interface')) {
        const one: Interface = { name: text(each, 'name'), row: each, port }
        port.interfaces.push(one)
        this.interfaces.set(one.name, one)
      }
    }
  }

  /** Notes that it matters which ports and interfaces there are. */
  verifyPorts(): void {
    if (this.#verified) return
    this.#verified = true
    const { draft, root } = this.#session
    root.verify('bridges')
    for (const row of draft.rows('Bridge')) row.verify('ports')
    for (const row of draft.rows('Port')) row.verify('interfaces')
  }

  findBridge(name: string): Bridge | undefined {
    this.#session.root.verify('bridges')
    return this.bridges.get(name)
  }

  bridge(name: string): Bridge {
    const bridge = this.findBridge(name)
    if (bridge === undefined) throw new VsctlError(`no bridge named ${name}`)
    return bridge
  }

  /** One that is no fake. */
  realBridge(name: string): Bridge {
    const bridge = this.bridge(name)
    if (bridge.parent !== undefined) throw new VsctlError(`${name} is a fake bridge`)
    return bridge
  }

  /** The port that has the bridge's own name is none that may be spoken of. */
  findPort(name: string): Port | undefined {
    this.verifyPorts()
    const port = this.ports.get(name)
    return port?.bridge.name === name ? undefined : port
  }

  port(name: string): Port {
    const port = this.findPort(name)
    if (port === undefined) throw new VsctlError(`no port named ${name}`)
    return port
  }

  findInterface(name: string): Interface | undefined {
    this.verifyPorts()
    const found = this.interfaces.get(name)
    return found?.port.bridge.name === name ? undefined : found
  }

  interface(name: string): Interface {
    const found = this.findInterface(name)
    if (found === undefined) throw new VsctlError(`no interface named ${name}`)
    return found
  }

  /** @param intent such as "cannot create a port named p1" */
  checkConflicts(name: string, intent: string): void {
    this.verifyPorts()
    if (this.bridges.has(name))
      throw new VsctlError(`${intent} because a bridge named ${name} already exists`)
    const port = this.ports.get(name)
    if (port !== undefined) {
      throw new VsctlError(
        `${intent} because a port named ${name} already exists on bridge ${port.bridge.name}`,
      )
    }
    const found = this.interfaces.get(name)
    if (found !== undefined) {
      throw new VsctlError(
        `${intent} because an interface named ${name} already exists on bridge ${found.port.bridge.name}`,
      )
    }
  }
}

export function childOn(bridge: Bridge, vlan: number): Bridge | undefined {
  return bridge.children.find((child) => child.vlan === vlan)
}
