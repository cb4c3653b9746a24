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
