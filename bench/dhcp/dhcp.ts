/** How many DHCP leases a second are granted, beside Kea and dnsmasq. Needs root; perfdhcp (Debian: kea-admin) is a second asker. */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

/** Which of the figures and servers, by parts of their names; all where nothing is said. */
interface Options {
  readonly figure?: string[] | undefined
  readonly peer?: string[] | undefined
}

export function dhcp(quick: boolean, { figure = [], peer = [] }: Options = {}): Promise<Result[]> {
  return runInPrivateWorld(WORLD, [
    ...(quick ? ['--quick'] : []),
    ...figure.flatMap((part) => ['--figure', part]),
    ...peer.flatMap((part) => ['--peer', part]),
  ])
}
