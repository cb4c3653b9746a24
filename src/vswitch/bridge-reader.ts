import type { Atom } from '../../protocols/ovsdb/atom.ts'
import { EMPTY_SET, equalAtoms } from '../../protocols/ovsdb/datum.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { compareNames } from '../compare-names.ts'
import type { Bridge, Port } from '../config/network.ts'
import { differingPart } from '../reconcile/differing-part.ts'
import { type BridgeSettings, bridgeOf, bridgeSettings } from './bridge-of.ts'
import { type OwnPort, type ReadPlug, type ReadPort, readPort } from './read-port.ts'
import { Readings, type Touched } from './readings.ts'
import type { Problem } from './row-reader.ts'

/**
 * A bridge and its ports as they were read, these in the order of their names. What is read anew is what was touched;
 * a port that was not is the same object as before.
 */
export class BridgeReader {
  readonly #uuid: string
  readonly #settings = new Readings<BridgeSettings>()
  readonly #readings = new Readings<ReadPort | undefined>()
  #members: readonly Atom[] = EMPTY_SET.keys
  #ports: readonly ReadPort[] = []
  #bridge: Bridge | undefined
  #plugs: readonly ReadPlug[] = []

  constructor(uuid: string) {
    this.#uuid = uuid
  }

  get ports(): readonly ReadPort[] {
    return this.#ports
  }

  /** By which hosts and routers are plugged in. */
  get plugs(): readonly ReadPlug[] {
    return this.#plugs
  }

  problems(): Problem[] {
    return [...this.#settings.problems(), ...this.#readings.problems()]
  }

  /** @param onPort called for each port that has come, gone or may have changed, as it was and as it is */
  read(ovs: Snapshot, touched: Touched, onPort: (port: ReadPort) => void): Bridge {
    for (const thing of this.#settings.readFrom(touched)) this.#settings.forget(thing)
    const before = this.#settings.get(this.#uuid)
    const settings = this.#settings.read(this.#uuid, ovs, (rows) => {
      return bridgeSettings(rows, rows.get('Bridge', this.#uuid)!)
    })
    const changed = this.#readPorts(ovs, touched, settings.name, onPort)
    if (this.#bridge !== undefined && before === settings && !changed) return this.#bridge
    const ports: Port[] = []
    const plugs: ReadPlug[] = []
    let own: OwnPort | undefined
    for (const { is } of this.#ports) {
      if (is?.what === 'port') ports.push(is.port)
      else if (is?.what === 'plug') plugs.push(is.plug)
      else own ??= is?.own
    }
    this.#plugs = plugs
    const bridge = bridgeOf(settings, own, ports)
    // Its own port has the address of the bridge, and so may others.
    if (this.#bridge !== undefined && this.#bridge.mac !== bridge.mac) this.#ports.forEach(onPort)
    this.#bridge = bridge
    return bridge
  }

  /** Whether any has come, gone or changed. */
  #readPorts(ovs: Snapshot, touched: Touched, bridge: string, onPort: (port: ReadPort) => void): boolean {
    const members = ovs.tables.get('Bridge')!.rows.get(this.#uuid)!.columns['ports']!.keys
    const again = this.#readings.readFrom(touched)
    if (equalAtoms(members, this.#members) && again.size === 0) return false
    const { start, endA, endB } = differingPart(this.#members, members)
    const before = new Set(this.#members.slice(start, endA) as readonly string[])
    const now = new Set(members.slice(start, endB) as readonly string[])
    const left = new Set([...before].filter((uuid) => !now.has(uuid)))
    const stale = new Set([...left, ...again])
    const kept: ReadPort[] = []
    for (const port of this.#ports) {
      if (!stale.has(port.uuid)) kept.push(port)
      else onPort(port)
    }
    for (const uuid of stale) this.#readings.forget(uuid)
    const come: ReadPort[] = []
    for (const uuid of [...now, ...again]) {
      if (left.has(uuid) || this.#readings.get(uuid) !== undefined) continue
      const port = this.#readings.read(uuid, ovs, (rows) => readPort(rows, uuid, bridge))
      if (port === undefined) this.#readings.forget(uuid)
      else come.push(port)
    }
    for (const port of come) onPort(port)
    this.#members = members
    this.#ports = placed(kept, come)
    return true
  }
}

/** Both in the order of names. */
function placed(ports: readonly ReadPort[], more: ReadPort[]): ReadPort[] {
  const all: ReadPort[] = []
  let next = 0
  for (const port of more.sort((a, b) => compareNames(a.name, b.name))) {
    const place = placeOf(ports, port.name, next)
    while (next < place) all.push(ports[next++]!)
    all.push(port)
  }
  while (next < ports.length) all.push(ports[next++]!)
  return all
}

/** Of the first port, from `low` on, whose name comes after this one. */
function placeOf(ports: readonly ReadPort[], name: string, low: number): number {
  let high = ports.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareNames(ports[middle]!.name, name) < 0) low = middle + 1
    else high = middle
  }
  return low
}
