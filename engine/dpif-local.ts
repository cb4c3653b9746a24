/**
 * The door in one thread: datapath and control side share it, time stands still between calls of `step`. For
 * simulations and tests: everything runs with ports in memory and under whatever clock the caller keeps.
 */
import type { Random } from '../protocols/random.ts'
import type { Instant } from '../protocols/time.ts'
import { Commands } from './commands.ts'
import { Datapath } from './datapath.ts'
import { MemoryDevices } from './devices.ts'
import { DPIF_COMMANDS, type Dpif, type DpifEvent } from './dpif.ts'
import type { FlowModStream, OnRefused } from './flow-mods/stream.ts'
import { BURST, PacketPool } from './memory/packet-pool.ts'
import { MemoryNetdev, type MemoryOptions } from './netdev/memory.ts'
import type { Netdev } from './netdev/netdev.ts'
import { FlowModRun } from './ofproto/flow-mod.ts'
import { WireFlowMods } from './ofproto/wire-flow-mods.ts'
import { Routers } from './router/routers.ts'

export interface LocalOptions {
  readonly random: Random
  /** Time before the first `step`. */
  readonly now?: Instant
  /** Packets alive at once; two bursts if not given. */
  readonly cells?: number
  readonly flowLimit?: number
  readonly emcEntries?: number
}

export class LocalDatapath {
  readonly datapath: Datapath
  readonly commands: Commands
  /** The same commands as promises, as control code knows them. */
  readonly dpif: Dpif
  readonly #devices = new MemoryDevices()
  readonly #ports = new Map<number, Netdev>()
  readonly #listeners: ((event: DpifEvent) => void)[] = []
  readonly #burst = new Uint32Array(BURST)

  constructor(options: LocalOptions) {
    this.datapath = new Datapath({
      pool: new PacketPool(options.cells ?? 2 * BURST),
      random: options.random,
      routers: (host) => new Routers(host),
      emit: (event) => this.#emit(event),
      packetIn: (_bridge, _id, template, bytes, at, length) => {
        const packet = bytes.slice(at, at + length)
        this.#emit({ type: 'packet-in', bridge: template.bridge, template, packet })
        return true
      },
      service: (_iface, address, bytes, at, length) => {
        this.#emit({ type: 'service', ...address, frame: bytes.slice(at, at + length) })
        return true
      },
      flowLimit: options.flowLimit ?? 1 << 14,
      emcEntries: options.emcEntries ?? 1 << 10,
    })
    this.datapath.now = options.now ?? 0
    this.commands = new Commands(this.datapath, this.#devices, {
      added: (portNo, device) => this.#ports.set(portNo, device),
      removed: (portNo) => this.#ports.delete(portNo),
    })
    this.dpif = this.#asDpif()
  }

  /** Makes a device in memory, for a port of kind `memory` with its name as key. */
  device(options: MemoryOptions): MemoryNetdev {
    const device = new MemoryNetdev(this.datapath.pool, options)
    this.#devices.attach(options.name, device)
    return device
  }

  onEvent(listener: (event: DpifEvent) => void): void {
    this.#listeners.push(listener)
  }

  #emit(event: DpifEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Forwards all that waits at the ports and does what is due. Answers the frames received. */
  step(now: Instant): number {
    const dp = this.datapath
    dp.now = now
    let frames = 0
    for (let more = true; more; ) {
      more = false
      for (const [portNo, device] of this.#ports) {
        const count = device.rx(this.#burst, BURST)
        if (count === 0) continue
        dp.receive(this.#burst, count, portNo)
        device.flush()
        frames += count
        more = true
      }
    }
    if (now >= dp.pollAt()) dp.poll(now)
    dp.captures.flush()
    dp.samples.flush()
    return frames
  }

  /** When `step` is to be called next though nothing arrives. */
  pollAt(): Instant {
    return this.datapath.pollAt()
  }

  /** Each is carried out as it is pushed. */
  #openFlowMods(bridge: string, onRefused: OnRefused): FlowModStream {
    const wire = new WireFlowMods()
    return {
      push: (bytes, tableIdExtension) => {
        const tables = this.datapath.topology.bridges.get(bridge)?.tables
        if (tables === undefined) return true
        const run = new FlowModRun(tables, false, this.datapath.now)
        const error = wire.next(run, bytes, tableIdExtension)
        run.end()
        if (error !== undefined) onRefused(error, bytes.slice())
        return true
      },
      room: async () => {},
      settle: () => true,
      settled: async () => {},
      close: () => {},
    }
  }

  #asDpif(): Dpif {
    const commands = this.commands as unknown as Record<string, (...args: unknown[]) => unknown>
    const door: Record<string, unknown> = {
      openFlowMods: (bridge: string, onRefused: OnRefused) => this.#openFlowMods(bridge, onRefused),
      onEvent: (listener: (event: DpifEvent) => void) => this.onEvent(listener),
      close: async () => {
        for (const name of [...this.datapath.topology.portsByName.keys()]) this.commands.portDelete(name)
      },
    }
    for (const name of DPIF_COMMANDS) {
      door[name] = async (...args: unknown[]) => structuredClone(commands[name](...structuredClone(args)))
    }
    return door as unknown as Dpif
  }
}
