/**
 * Which congestion control the connections of hosts have. It comes by their routes, so that connections are born with
 * it: who chooses it for a connection that exists (iperf3's -C) leaves the pacing on that a default of BBR began with.
 */
import { type Host, ip } from '../peers/peer.ts'

/** Does something while connections of these hosts have a congestion control. */
export async function withCongestionControl<T>(
  hosts: readonly Host[],
  name: string,
  what: () => Promise<T>,
): Promise<T> {
  for (const host of hosts) changeRoutes(host, ['congctl', name])
  try {
    return await what()
  } finally {
    for (const host of hosts) changeRoutes(host, [])
  }
}

function changeRoutes({ namespace }: Host, more: readonly string[]): void {
  for (const route of ip('-n', namespace, 'route', 'show').trim().split('\n')) {
    const [own] = route.split(' congctl ')
    ip('-n', namespace, 'route', 'change', ...own!.trim().split(/\s+/), ...more)
  }
}
