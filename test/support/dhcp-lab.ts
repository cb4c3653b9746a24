import { expect } from 'vitest'
import { type Sniffer, sniff } from './sniffer.ts'
import { until } from './until.ts'
import { type Background, World } from './world.ts'

/** VLANs of the lab, each a network with a DHCP server of its own. */
export const OFFICE = 10
export const ELSEWHERE = 20
export const BRIEF = 30

export interface Lease {
  readonly interface: string
  readonly address: string
  readonly mac: string
  readonly state: string
  readonly expires: string
}

/**
 * One host with a DHCP client, which can be moved from one network to another as a machine is whose cable is
 * plugged elsewhere:
 *
 *  - OFFICE, 10.0.0.0/24: leases of a day
 *  - ELSEWHERE, 10.1.0.0/24: the first address of the pool is used by a machine that never asked for it, and
 *    the server does not probe
 *  - BRIEF, 10.2.0.0/24: leases of 8 seconds
 */
export class DhcpLab {
  static readonly HOST = 'pc'
  static readonly MAC = '02:00:00:00:00:0a'
  readonly world: World
  #daemon: Background | undefined
  #vlan = OFFICE
  #first = 151

  private constructor(world: World) {
    this.world = world
  }

  static async start(): Promise<DhcpLab> {
    const lab = new DhcpLab(await World.create())
    try {
      lab.#daemon = await lab.world.start(await lab.#write())
    } catch (error) {
      await lab.close()
      throw error
    }
    return lab
  }

  close(): Promise<void> {
    return this.world.close()
  }

  /** Plugs the host into another network, without touching its interface. */
  async move(vlan: number): Promise<void> {
    if (vlan === this.#vlan) return
    this.#vlan = vlan
    await this.#reload()
  }

  /** Lets the pools begin with this host number, without ending leases. */
  async shrinkPools(first: number): Promise<void> {
    this.#first = first
    await this.#reload()
  }

  /** Kills the daemon with -9 and starts it again; hosts are made anew, files and leases stay. */
  async crash(): Promise<void> {
    await this.#daemon?.stop('SIGKILL')
    this.#daemon = await this.world.start(await this.#write())
  }

  /** Messages of client and server on the host's interface, decoded by tcpdump. */
  sniff(): Promise<Sniffer> {
    return sniff(this.world, DhcpLab.HOST, { options: ['-vv', '-e'], filter: ['udp', 'port', '67'] })
  }

  exec(argv: readonly string[]) {
    return this.world.exec(argv, { netns: DhcpLab.HOST })
  }
  spawn(argv: readonly string[]): Background {
    return this.world.spawn(argv, { netns: DhcpLab.HOST })
  }

  /** Resolves with the host's lease once it is in this state. */
  lease(state: string): Promise<Lease> {
    let leases: Lease[] = []
    return until(
      async () => {
        leases = JSON.parse((await this.world.cli(['show', 'leases', '--json'])).stdout)
        return leases.find((lease) => lease.mac === DhcpLab.MAC && lease.state === state)
      },
      `a lease that is ${state}`,
      20_000,
      () => JSON.stringify(leases, null, 1),
    )
  }

  /** Resolves once the host has an address that matches and a default route, and gives the address. */
  async configured(address: RegExp): Promise<string> {
    let shown = ''
    const found = await until(
      async () => {
        shown = await this.world.sh('ip -br -4 address show dev eth0; ip route show default', {
          netns: DhcpLab.HOST,
        })
        const [first, route] = shown.split('\n')
        const match = /(\S+)\/24/.exec(first!)
        return route?.startsWith('default via') && match !== null && address.test(match[1]!) && match[1]
      },
      `an address like ${address}`,
      30_000,
      () => shown,
    )
    return found
  }

  async #reload(): Promise<void> {
    await this.#write()
    const { code, stderr } = await this.world.cli(['reload'])
    expect(code, stderr).toBe(0)
  }

  async #write(): Promise<string> {
    const network = (tag: number, net: string, leaseTime: number, probe: boolean) => ({
      bridge: 'br0',
      tag,
      address: `${net}.254/24`,
      dhcp: {
        range: [`${net}.${this.#first}`, `${net}.160`],
        leaseTime,
        probe,
        authoritative: true,
        options: { router: `${net}.254`, 'domain-name-servers': [`${net}.254`], 'domain-name': 'lab.test' },
      },
    })
    return this.world.file('dhcp-lab.json', {
      bridges: { br0: {} },
      hosts: {
        [DhcpLab.HOST]: { interfaces: { eth0: { bridge: 'br0', mac: DhcpLab.MAC, tag: this.#vlan } } },
        squatter: { interfaces: { eth0: { bridge: 'br0', tag: ELSEWHERE, address: '10.1.0.151/24' } } },
      },
      routers: {
        rt: {
          interfaces: {
            office: network(OFFICE, '10.0.0', 86400, true),
            elsewhere: network(ELSEWHERE, '10.1.0', 86400, false),
            brief: network(BRIEF, '10.2.0', 8, true),
          },
        },
      },
    })
  }
}
