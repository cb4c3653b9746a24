/**
 * Devices of the system the dataplane runs on: TAPs of its own making and existing interfaces; and dummies, which only
 * captures see the output of.
 */
import type { DeviceFactory } from './devices.ts'
import { DpifError, type DpifErrorCode, type PortKind } from './dpif.ts'
import type { PacketPool } from './memory/packet-pool.ts'
import type { Gro } from './netdev/coalescer.ts'
import { MemoryNetdev } from './netdev/memory.ts'
import type { Netdev } from './netdev/netdev.ts'
import { PacketNetdev } from './netdev/packet.ts'
import { TapNetdev } from './netdev/tap.ts'
import { TapBatch } from './netdev/tap-batch.ts'
import { SystemError } from './sys/libc.ts'

const CODES: readonly string[] = ['EEXIST', 'ENOENT', 'EINVAL', 'ENODEV', 'EPERM', 'EBUSY', 'ENOSPC', 'EIO']

export class SystemDevices implements DeviceFactory {
  readonly #pool: PacketPool
  readonly #gro: Gro | undefined
  /** Null until the first TAP needs it. */
  #batch: TapBatch | undefined | null = null

  /** @param gro which small frames of a flow TAPs join */
  constructor(pool: PacketPool, gro?: Gro) {
    this.#pool = pool
    this.#gro = gro
  }

  open(port: string, kind: PortKind): Netdev {
    try {
      if (kind.type === 'tap') {
        const { device: name, mtu, mac } = kind
        if (this.#batch === null) this.#batch = TapBatch.open(this.#pool)
        return new TapNetdev(this.#pool, { name, mtu, mac, gro: this.#gro, batch: this.#batch })
      }
      if (kind.type === 'memory') return new MemoryNetdev(this.#pool, { name: port, onSend: () => {} })
      if (kind.type === 'system') return new PacketNetdev(this.#pool, { name: port, device: kind.device })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      const code = CODES.includes(error.code) ? (error.code as DpifErrorCode) : 'EIO'
      throw new DpifError(code, `port ${port}: ${error.message}`)
    }
    throw new DpifError('EINVAL', `port ${port}: a device of type ${kind.type} does not exist on a system`)
  }
}
