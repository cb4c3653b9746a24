import type { World } from './world.ts'

/** What `iperf3 --json` says at its end, as far as tests ask for it. */
export interface IperfEnd {
  /** TCP. */
  readonly sum_sent: { readonly bytes: number }
  readonly sum_received: { readonly bytes: number }
  /** UDP. */
  readonly sum: { readonly packets: number; readonly lost_packets: number; readonly bytes: number }
}

/** A server in `netns` that serves one client after another and ends with the world. */
export async function iperfServer(world: World, netns: string, port = 5201): Promise<void> {
  const server = world.spawn(['iperf3', '-s', '-p', String(port), '--forceflush'], { netns })
  await server.waitFor(/Server listening/)
}

/** Runs a client to its end. */
export async function iperf(
  world: World,
  netns: string | undefined,
  server: string,
  args: readonly string[] = [],
): Promise<IperfEnd> {
  const argv = ['iperf3', '--json', '-c', server, ...args]
  const { stdout, stderr } = await world.exec(argv, netns === undefined ? {} : { netns })
  const result = JSON.parse(stdout) as { readonly error?: string; readonly end: IperfEnd }
  if (result.error !== undefined) throw new Error(`${argv.join(' ')}: ${result.error}\n${stderr}`)
  return result.end
}

/** Datagrams that have arrived in a namespace and found no room in their socket. */
async function overrun(world: World, netns: string | undefined): Promise<number> {
  const text = await world.ok(['grep', '^Udp:', '/proc/net/snmp'], netns === undefined ? {} : { netns })
  const [names, values] = text.split('\n')
  return Number(values!.split(' ')[names!.split(' ').indexOf('RcvbufErrors')])
}

/**
 * Runs a client that sends datagrams, or is sent them, while `meanwhile` goes on. A receiver that had no processor for a
 * while has lost what its own socket had no room for: that is not counted as lost.
 */
export async function iperfUdp(
  world: World,
  netns: string | undefined,
  server: { readonly netns: string; readonly address: string },
  args: readonly string[] = [],
  meanwhile: () => Promise<void> = async () => {},
): Promise<{ packets: number; lost: number }> {
  const full = async () => (await overrun(world, netns)) + (await overrun(world, server.netns))
  const before = await full()
  const [{ sum }] = await Promise.all([
    iperf(world, netns, server.address, ['-u', '-b', '20M', ...args]),
    meanwhile(),
  ])
  return { packets: sum.packets, lost: sum.lost_packets - ((await full()) - before) }
}
