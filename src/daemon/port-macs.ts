/** MAC addresses of ports, as OpenFlow and the database tell them. */
import { createHash } from 'node:crypto'
import { linkInfo } from '../../engine/sys/link-info.ts'
import type { Network } from '../config/network.ts'

function bytesOf(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  for (let i = 5, rest = mac; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return bytes
}

/** A port without a device has an address that follows from its name. */
function derived(name: string): number {
  const digest = createHash('sha256').update(name).digest()
  return ((digest[0]! & 0xfc) | 0x02) * 2 ** 40 + digest.readUIntBE(1, 5)
}

export function portMac(network: Network, name: string): Uint8Array {
  return bytesOf(portMacNumber(network, name))
}

/** As a 48-bit number. */
export function portMacNumber(network: Network, name: string): number {
  const port = portsOf(network).get(name)
  const mac = port?.device === undefined ? port?.mac : linkInfo(port.device)?.mac
  return mac ?? derived(name)
}

interface PortAddress {
  readonly mac?: number
  /** Of a port whose address is that of a device of the machine. */
  readonly device?: string
}

/** A network is a value: what has been found out about it holds for ever. */
const known = new WeakMap<Network, ReadonlyMap<string, PortAddress>>()

function portsOf(network: Network): ReadonlyMap<string, PortAddress> {
  let ports = known.get(network)
  if (ports === undefined) {
    ports = new Map(entries(network))
    known.set(network, ports)
  }
  return ports
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
