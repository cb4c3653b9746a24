import { type BridgeSpec, type PortSpec, TRUNK_ALL, type VlanSettings } from '../../engine/dpif.ts'
import { LocalDatapath } from '../../engine/dpif-local.ts'
import type { MemoryNetdev } from '../../engine/netdev/memory.ts'
import { seededRandom } from '../../protocols/random.ts'

export interface LabOptions {
  readonly flowLimit?: number
  readonly emcEntries?: number
  readonly cells?: number
  readonly seed?: number
}

/** A frame that left the switch. */
export interface Sent {
  readonly port: string
  readonly frame: Uint8Array
}

export function bridgeSpec(name: string, change: Partial<BridgeSpec> = {}): BridgeSpec {
  return { name, agingTime: 300, macTableSize: 2048, forwardBpdu: false, ...change }
}

export function vlan(change: Partial<VlanSettings>): VlanSettings {
  return { ...TRUNK_ALL, ...change }
}

/** A whole switch in memory with a clock that stands still: bridges, memory ports, patches. */
export class SwitchLab {
  readonly local: LocalDatapath
  now = 0
  readonly #devices = new Map<string, MemoryNetdev>()
  #sent: Sent[] = []

  constructor(options: LabOptions = {}) {
    const { seed, ...rest } = options
    this.local = new LocalDatapath({ random: seededRandom(seed ?? 1), ...rest })
  }

  get commands() {
    return this.local.commands
  }

  bridge(name: string, change: Partial<BridgeSpec> = {}): void {
    this.commands.bridgePut(bridgeSpec(name, change))
  }

  /** A port with a device in memory; one that is there keeps its device. */
  port(name: string, bridge: string, settings: VlanSettings = TRUNK_ALL, change: Partial<PortSpec> = {}) {
    if (!this.#devices.has(name)) {
      const onSend = (frame: Uint8Array) => this.#sent.push({ port: name, frame: frame.slice() })
      this.#devices.set(name, this.local.device({ name, onSend }))
    }
    return this.commands.portPut({
      name,
      bridge,
      vlan: settings,
      kind: { type: 'memory', key: name },
      ...change,
    })
  }

  patch(name: string, bridge: string, peer: string, settings: VlanSettings = TRUNK_ALL) {
    return this.commands.portPut({ name, bridge, vlan: settings, kind: { type: 'patch', peer } })
  }

  deletePort(name: string): void {
    this.commands.portDelete(name)
    this.#devices.delete(name)
  }

  device(name: string): MemoryNetdev {
    return this.#devices.get(name)!
  }

  /** Sends frames into a port and answers what left the switch by that, in order. */
  send(port: string, ...frames: Uint8Array[]): Sent[] {
    for (const frame of frames) this.device(port).inject(frame)
    return this.step()
  }

  step(): Sent[] {
    this.#sent = []
    return this.drain()
  }

  /** The same with what has left since the last step by itself: packet-outs. */
  drain(): Sent[] {
    this.local.step(this.now)
    const sent = this.#sent
    this.#sent = []
    return sent
  }

  /** Names of the ports a frame left by, sorted. */
  ports(port: string, frame: Uint8Array): string[] {
    return this.send(port, frame)
      .map((s) => s.port)
      .sort()
  }

  /** Lets time pass, a second at a time as the worker's loop would. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000
      this.local.step(this.now)
    }
  }
}
