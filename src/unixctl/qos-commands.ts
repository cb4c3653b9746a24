/** qos/…: how ports share what they send, ovs-vswitchd(8) "QOS COMMANDS". */

import type { PortStatus } from '../../engine/dpif.ts'
import type { QueueRow } from '../../engine/dpif-qos.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import type { SwitchView } from './switch-view.ts'

/** As the QoS table names them. */
const TYPES = ['linux-htb', 'linux-hfsc', 'egress-policer']

export function qosCommands(view: SwitchView): UnixctlCommand[] {
  const portNamed = async (name: string): Promise<PortStatus> => {
    const port = (await view.dpif.ports()).find((p) => p.name === name)
    if (port === undefined) throw new UnixctlError('no such interface')
    return port
  }
  return [
    {
      name: 'qos/show',
      usage: 'interface',
      min: 1,
      max: 1,
      run: async ([name]) => {
        await portNamed(name)
        return format(
          name,
          (await view.dpif.queues()).filter((row) => row.port === name),
        )
      },
    },
    {
      name: 'qos/show-types',
      usage: 'interface',
      min: 1,
      max: 1,
      run: async ([name]) => {
        const { type } = await portNamed(name)
        if (type !== 'tap' && type !== 'system') return `No QoS types supported for interface: ${name}`
        return `QoS type: ${TYPES.join('\nQoS type: ')}\n`
      },
    },
  ]
}

function format(name: string, rows: readonly QueueRow[]): string {
  if (rows.length === 0) return `QoS not configured on ${name}\n`
  const [{ type, portRate }] = rows
  const queues = rows.map((row) => {
    const title = row.queue === 0 ? 'Default' : `Queue ${row.queue}`
    const settings = [
      ...(row.burst > 0 ? [`  burst: ${row.burst}`] : []),
      `  max-rate: ${row.maxRate}`,
      `  min-rate: ${row.minRate}`,
      ...(row.spec.priority === undefined ? [] : [`  priority: ${row.spec.priority}`]),
      `  tx_packets: ${row.txPackets}`,
      `  tx_bytes: ${row.txBytes}`,
      `  tx_errors: ${row.txErrors}`,
    ]
    return `\n${title}:\n${settings.join('\n')}\n`
  })
  return `QoS: ${name} ${type}\nmax-rate: ${portRate}\n${queues.join('')}`
}
