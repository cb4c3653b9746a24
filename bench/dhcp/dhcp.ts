/** How many DHCP leases a second are granted, beside Kea and dnsmasq. Needs root; perfdhcp (Debian: kea-admin) is a second asker. */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export function dhcp(quick: boolean): Promise<Result[]> {
  return runInPrivateWorld(WORLD, quick ? ['--quick'] : [])
}
