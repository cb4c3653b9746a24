import { readFileSync } from 'node:fs'
import type { Network } from '../config/network.ts'
import { portFacts } from './port-facts.ts'

/** SNMP ifIndex of a port: its device's number in the machine's own namespace; 0 for a port without such a device. */
export function portIndex(network: Network, port: string): number {
  const device = portFacts(network).get(port)?.device
  if (device === undefined) return 0
  try {
    return Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'))
  } catch {
    return 0
  }
}
