import { Commands } from '../../engine/commands.ts'
import { Datapath } from '../../engine/datapath.ts'
import { TRUNK_ALL, type VlanSettings } from '../../engine/dpif.ts'
import { PacketPool } from '../../engine/memory/packet-pool.ts'
import { Routers } from '../../engine/router/routers.ts'
import { seededRandom } from '../../protocols/random.ts'
import { type Frames, Generator } from '../support/generator.ts'

/** What a port brings that only sends. */
export const NOTHING: Frames = { count: 0, at: () => new Uint8Array(0) }

/** Makes a datapath in memory with the tables of the daemon's, and what is joined to it. */
export class Builder {
  readonly datapath: Datapath
  readonly commands: Commands
  readonly #devices = new Map<string, Generator>()

  constructor() {
    const random = seededRandom(1)
    this.datapath = new Datapath({
      pool: new PacketPool(512),
      random,
      routers: (host) => new Routers(host),
      emit: () => {},
      packetIn: () => true,
      service: () => true,
    })
    const open = (name: string) => this.#devices.get(name) as Generator
    this.commands = new Commands(this.datapath, { open }, { added: () => {}, removed: () => {} })
  }

  bridge(name: string, macTableSize = 8192): void {
    this.commands.bridgePut({ name, agingTime: 300, macTableSize, forwardBpdu: false })
  }

  /** A port on which frames arrive in turn. */
  port(bridge: string, name: string, vlan: VlanSettings, frames: Frames): Generator {
    const device = new Generator(name, this.datapath.pool, frames)
    this.#devices.set(name, device)
    this.commands.portPut({ name, bridge, vlan, kind: { type: 'memory', key: name } })
    return device
  }

  patch(a: string, bridgeA: string, b: string, bridgeB: string): void {
    this.commands.portPut({ name: a, bridge: bridgeA, vlan: TRUNK_ALL, kind: { type: 'patch', peer: b } })
    this.commands.portPut({ name: b, bridge: bridgeB, vlan: TRUNK_ALL, kind: { type: 'patch', peer: a } })
  }

  /** One frame from a device, to be learned from. */
  hear(device: Generator, frame: Uint8Array): void {
    const port = this.datapath.topology.portsByName.get(device.name)
    if (port === undefined) throw new Error(`no port ${device.name}`)
    this.datapath.receive(Uint32Array.of(this.datapath.pool.fromBytes(frame)), 1, port.portNo)
  }
}
