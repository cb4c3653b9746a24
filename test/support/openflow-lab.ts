/** Our engine on one side of a comparison of rules: one bridge of memory ports that drops what no flow matches. */

import { TRUNK_ALL } from '../../engine/dpif.ts'
import { type FlowMod, OFPG_ANY, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import { parseGroup } from '../../protocols/openflow/text/group-parse.ts'
import { hex } from './frames.ts'
import { type LabOptions, SwitchLab } from './switch-lab.ts'

export class OpenflowLab {
  readonly lab: SwitchLab
  readonly #ports: readonly string[]

  /** Ports are numbered from 1 in order. */
  constructor(ports: readonly string[], options: LabOptions = {}) {
    this.lab = new SwitchLab(options)
    this.#ports = ports
    this.lab.bridge('br0', { failMode: 'secure' })
    for (const [i, name] of ports.entries()) this.port(name, i + 1)
  }

  port(name: string, ofport: number): void {
    this.lab.port(name, 'br0', TRUNK_ALL, { ofport })
  }

  /** Carries out flows as ovs-ofctl writes them, one a line; what is refused is thrown. */
  flows(lines: readonly string[], command: FlowMod['command'] = 'add'): void {
    this.mods(lines.map((line) => parseFlowLine(line, undefined, command)))
  }

  mods(mods: readonly FlowMod[]): void {
    const failures = this.lab.commands.flowMod('br0', mods, true)
    if (failures.length > 0) throw new Error(`flow ${failures[0].index}: ${failures[0].error}`)
  }

  /** Adds groups as ovs-ofctl writes them. */
  groups(lines: readonly string[]): void {
    for (const line of lines) {
      const error = this.lab.commands.groupMod('br0', parseGroup(line))
      if (error !== undefined) throw new Error(`${line}: ${error}`)
    }
  }

  clear(): void {
    this.lab.commands.flowFlush('br0', false)
  }

  /** What leaves when a frame comes in by the port with this number: "name hex", sorted. */
  send(port: number, frame: Uint8Array): string[] {
    const sent = this.lab.send(this.#ports[port - 1], frame)
    return sent.map((s) => `${s.port} ${hex(s.frame)}`).sort()
  }

  /** Counters of flows as "packets/bytes", by "table priority". */
  counters(): Map<string, string> {
    const counters = new Map<string, string>()
    const request = {
      match: emptyMatch(),
      table: OFPTT_ALL,
      outPort: OFPP_ANY,
      outGroup: OFPG_ANY,
      cookie: 0n,
      cookieMask: 0n,
    }
    let from: number | undefined = 0
    while (from !== undefined) {
      const page = this.lab.commands.flowStats('br0', request, from)
      for (const r of page.rows) counters.set(`${r.table} ${r.priority}`, `${r.packetCount}/${r.byteCount}`)
      from = page.next
    }
    return counters
  }
}
