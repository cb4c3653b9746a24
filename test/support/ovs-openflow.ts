/** Real Open vSwitch on the other side of a comparison of rules. */
import type { RefFlow } from '../reference/openflow.ts'
import { hex } from './frames.ts'
import { flowText, isOld } from './openflow-text.ts'
import { OpenVswitch } from './ovs.ts'
import { until } from './until.ts'

export class OvsSwitch {
  readonly ovs: OpenVswitch
  readonly #ports: readonly string[]

  private constructor(ovs: OpenVswitch, ports: readonly string[]) {
    this.ovs = ovs
    this.#ports = ports
  }

  /** One bridge, br0, that drops what no flow matches; ports are numbered from 1 in order. */
  static async start(ports: readonly string[]): Promise<OvsSwitch> {
    const ovs = await OpenVswitch.start()
    // Two VLAN headers can be matched, instead of one.
    await ovs.vsctl('set', 'Open_vSwitch', '.', 'other_config:vlan-limit=2')
    await ovs.addBridge('br0', { ports })
    await until(async () => (await ovs.ofctl('show', 'br0')).includes(ports.at(-1)!), 'the ports are there')
    return new OvsSwitch(ovs, ports)
  }

  stop(): Promise<void> {
    return this.ovs.stop()
  }

  /** Adds flows, one a line, by a version that has all of them. */
  async flows(lines: readonly string[], version = 'OpenFlow12'): Promise<void> {
    if (lines.length === 0) return
    await this.ovs.ofctlInput(`${lines.join('\n')}\n`, '-O', version, 'add-flows', 'br0', '-')
    await this.forgetCached()
  }

  /** The same for the reference's rules. */
  async add(rules: readonly RefFlow[]): Promise<void> {
    await this.flows(rules.filter((r) => !isOld(r)).map(flowText))
    await this.flows(rules.filter(isOld).map(flowText), 'OpenFlow10')
  }

  async ofctl(command: string, ...args: string[]): Promise<string> {
    const answer = await this.ovs.ofctl('-O', 'OpenFlow15', command, 'br0', ...args)
    await this.forgetCached()
    return answer
  }

  /** Everything is as new, but for learned addresses and connections. */
  async clear(): Promise<void> {
    // Flows first: Open vSwitch 3.1 aborts when a group goes that a flow names twice.
    await this.ovs.ofctl('del-flows', 'br0')
    await this.ovs.ofctl('-O', 'OpenFlow15', 'del-groups', 'br0')
    await this.forgetCached()
  }

  forgetCached(): Promise<void> {
    return this.ovs.forgetCached()
  }

  /** What leaves when a frame comes in by the port with this number: "name hex", sorted. */
  async send(port: number, frame: Uint8Array): Promise<string[]> {
    const sent = await this.ovs.send(this.#ports[port - 1], frame)
    return sent.map((s) => `${s.port} ${hex(s.frame)}`).sort()
  }

  /** Counters of flows as "packets/bytes", by "table priority". */
  async counters(): Promise<Map<string, string>> {
    await this.forgetCached()
    // No single OpenFlow version can say what all flows are; unixctl can.
    const text = await this.ovs.appctl('bridge/dump-flows', 'br0')
    const counters = new Map<string, string>()
    for (const line of text.split('\n')) {
      const table = /^table_id=(\d+)/.exec(line)?.[1] ?? '0'
      const priority = /priority=(\d+)/.exec(line)?.[1] ?? '32768'
      const [, packets, bytes] = /n_packets=(\d+), n_bytes=(\d+),/.exec(line) ?? []
      counters.set(`${table} ${priority}`, `${packets}/${bytes}`)
    }
    return counters
  }
}
