/** MAC addresses of ports, as OpenFlow and the database tell them. */
import { createHash } from 'node:crypto'
import { linkInfo } from '../../engine/sys/link-info.ts'
import type { Network } from '../config/network.ts'

/** Six bytes. */
export function bytesOf(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  for (let i = 5, rest = mac; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return bytes
}

/** A port without a device has an address that follows from its name. */
function derived(name: string): number {
  const digest = createHash('sha256').update(name).digest()
  return ((digest[0]! & 0xfc) | 0x02) * 2 ** 40 + digest.readUIntBE(1, 5)
}

interface PortAddress {
  readonly mac?: number
  /** Of a port whose address is that of a device of the machine. */
  readonly device?: string
}

export class PortMacs {
  readonly #ports = new Map<string, PortAddress>()

  /** Ports of one network, or of a part of it, give way to those of another. */
  replace(before: Network, after: Network): void {
    for (const [name] of entries(before)) this.#ports.delete(name)
    for (const [name, address] of entries(after)) this.#ports.set(name, address)
  }

  /** As a 48-bit number. */
  of(name: string): number {
    const port = this.#ports.get(name)
    const mac = port?.device === undefined ? port?.mac : linkInfo(port.device)?.mac
    return mac ?? derived(name)
  }
}

function* entries({ bridges, hosts, routers }: Network): Generator<[string, PortAddress]> {
  for (const owner of [...routers, ...hosts])
    for (const { port, mac } of owner.interfaces) yield [port, { mac }]
  for (const bridge of bridges) {
    for (const port of bridge.ports) {
      if (port.type === 'system') yield [port.name, { device: port.device }]
      else if (port.type !== 'patch') yield [port.name, { mac: port.mac }]
    }
    yield [bridge.name, { mac: bridge.mac }]
  }
}
