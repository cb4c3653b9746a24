/** MAC addresses of ports, as OpenFlow tells them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import type { Network } from '../config/network.ts'

function bytesOf(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  for (let i = 5, rest = mac; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return bytes
}

/** Of a device of the machine; undefined when it is gone. */
function macOfDevice(device: string): number | undefined {
  try {
    return parseMac(readFileSync(`/sys/class/net/${device}/address`, 'utf8').trim())
  } catch {
    return undefined
  }
}

/** A port without a device has an address that follows from its name. */
function derived(name: string): Uint8Array {
  const bytes = Uint8Array.from(createHash('sha256').update(name).digest().subarray(0, 6))
  bytes[0] = (bytes[0]! & 0xfc) | 0x02
  return bytes
}

export function portMac(network: Network, name: string): Uint8Array {
  const mac = given(network, name)
  return mac === undefined ? derived(name) : bytesOf(mac)
}

function given(network: Network, name: string): number | undefined {
  for (const bridge of network.bridges) {
    if (bridge.name === name) return bridge.mac
    const port = bridge.ports.find((p) => p.name === name)
    if (port !== undefined) {
      if (port.type === 'system') return macOfDevice(port.device)
      return port.type === 'patch' ? undefined : port.mac
    }
  }
  const owners = [...network.hosts, ...network.routers]
  return owners
    .flatMap((owner) => owner.interfaces as readonly { port: string; mac: number }[])
    .find((i) => i.port === name)?.mac
}
