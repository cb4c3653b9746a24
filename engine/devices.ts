/**
 * Opens the devices that ports are made of. The one place that knows every kind.
 */
import { DpifError, type PortKind } from './dpif.ts'
import type { Netdev } from './netdev/netdev.ts'

/** Makes devices; simulations bring their own. */
export interface DeviceFactory {
  /**
   * @param port name of the port the device is for
   * @throws DpifError ENODEV, EPERM, EBUSY, EINVAL …, naming the device and what is wrong
   */
  open(port: string, kind: PortKind): Netdev
}

/** Devices in memory only, attached beforehand by key. */
export class MemoryDevices implements DeviceFactory {
  readonly #attached = new Map<string, Netdev>()

  attach(key: string, device: Netdev): void {
    this.#attached.set(key, device)
  }

  open(port: string, kind: PortKind): Netdev {
    if (kind.type !== 'memory') {
      throw new DpifError('EINVAL', `port ${port}: a simulation has no devices of type ${kind.type}`)
    }
    const device = this.#attached.get(kind.key)
    if (device === undefined) {
      throw new DpifError('ENODEV', `port ${port}: no device is attached as "${kind.key}"`)
    }
    return device
  }
}
