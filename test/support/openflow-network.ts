/** Three hosts on a bridge that forwards nothing but what OpenFlow tells it to, in a world of their own. */
import type { Background, ExecResult } from './world.ts'
import { World } from './world.ts'

/** MAC address of a host. */
export const macOf = (host: number): string => `02:00:00:00:00:0${host}`

export interface NetworkOptions {
  /** Settings of the bridge br0. */
  readonly bridge?: object
  /** Further settings of the whole configuration. */
  readonly top?: object
}

export class OpenflowNetwork {
  readonly world: World
  daemon!: Background

  private constructor(world: World) {
    this.world = world
  }

  /** Hosts vm1 to vm3 (10.0.0.N) speak only when told to: they know each other's MAC addresses and have no IPv6. */
  static async create(options: NetworkOptions | ((world: World) => Promise<NetworkOptions>) = {}) {
    const world = await World.create()
    try {
      const network = new OpenflowNetwork(world)
      const { bridge, top } = typeof options === 'function' ? await options(world) : options
      const host = (i: number) => ({
        interfaces: { eth0: { bridge: 'br0', address: `10.0.0.${i}/24`, mac: macOf(i) } },
      })
      network.daemon = await world.start({
        bridges: { br0: { failMode: 'secure', ...bridge } },
        hosts: { vm1: host(1), vm2: host(2), vm3: host(3) },
        ...top,
      })
      const lines: string[] = []
      for (let at = 1; at <= 3; at++) {
        lines.push(`ip netns exec vm${at} sysctl -qw net.ipv6.conf.all.disable_ipv6=1`)
        for (let of = 1; of <= 3; of++) {
          if (at === of) continue
          lines.push(`ip -n vm${at} neigh replace 10.0.0.${of} lladdr ${macOf(of)} dev eth0 nud permanent`)
        }
      }
      await world.sh(lines.join('\n'))
      return network
    } catch (error) {
      await world.close()
      throw error
    }
  }

  /** ovs-ofctl that must succeed. */
  ofctl(...args: string[]): Promise<string> {
    return this.world.ok(['ovs-ofctl', ...args])
  }

  /** ovs-ofctl that reads `input` where its arguments say `-`. */
  ofctlInput(input: string, ...args: string[]): Promise<string> {
    return this.world.ok(['ovs-ofctl', ...args], { input })
  }

  /** ovs-ofctl whose failure is of interest. */
  tryOfctl(...args: string[]): Promise<ExecResult> {
    return this.world.exec(['ovs-ofctl', ...args])
  }

  /** Replaces all flows of br0, without what groups and meters there are. */
  async flows(lines: readonly string[], ...options: string[]): Promise<void> {
    await this.ofctl(...options, 'del-flows', 'br0')
    await this.ofctlInput(lines.join('\n'), ...options, 'add-flows', 'br0', '-')
  }

  /** Flows as dump-flows prints them, without statistics. */
  async dump(...args: string[]): Promise<string[]> {
    const text = await this.ofctl('--no-stats', 'dump-flows', 'br0', ...args)
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  }

  /** Packets and bytes of the flow with this cookie. */
  async counted(cookie: number): Promise<{ packets: number; bytes: number }> {
    const text = await this.ofctl('dump-flows', 'br0', `cookie=0x${cookie.toString(16)}/-1`)
    const [, packets, bytes] = /n_packets=(\d+), n_bytes=(\d+)/.exec(text) ?? []
    return { packets: Number(packets), bytes: Number(bytes) }
  }

  /** Sends echo requests from one host to another (or to an address), and tells how many were answered. */
  async ping(from: number, to: number | string, count = 1, ...options: string[]): Promise<number> {
    const address = typeof to === 'string' ? to : `10.0.0.${to}`
    const argv = ['ping', '-n', '-c', String(count), '-i', '0.01', '-W', '0.3', ...options, address]
    const { stdout, stderr } = await this.world.exec(argv, { netns: `vm${from}` })
    const [, received] = /(\d+) received/.exec(stdout) ?? []
    if (received === undefined) throw new Error(`ping said nothing to count: ${stdout}${stderr}`)
    return Number(received)
  }

  close(): Promise<void> {
    return this.world.close()
  }
}
