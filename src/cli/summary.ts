import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import type { Network } from '../config/network.ts'
import { colors } from './output.ts'

/** Whether `rundir` must be named in commands, because it is not where they look. */
function rundirWords(rundir: string, usual: string): string {
  return rundir === usual ? '' : ` --rundir ${rundir}`
}

/** An address worth pinging: the gateway of a host with an address, or that of another host. */
function pingable(network: Network): [host: string, address: string] | undefined {
  const hosts = network.hosts.flatMap((h) => h.interfaces.map((i) => ({ host: h.name, ...i })))
  for (const h of hosts) {
    if (h.addressing === 'static' && h.gateway !== undefined) return [h.host, formatIpv4(h.gateway)]
  }
  for (const a of hosts) {
    const b = hosts.find((o) => o.host !== a.host && o.bridge === a.bridge && o.vlan.tag === a.vlan.tag)
    const to = b?.addresses[0]
    if (a.addressing === 'static' && to !== undefined) return [a.host, formatIpv4(to.address)]
  }
  return undefined
}

const EMPTY: Network = { bridges: [], hosts: [], routers: [] }

/** A line on what is up, and the commands to try. */
export function summary(wanted: Network | undefined, rundir: string, usualRundir: string): string {
  const network = wanted ?? EMPTY
  const names = (list: readonly { name: string }[]) => list.map((e) => e.name).join(', ')
  const parts = [
    network.bridges.length > 0 ? `bridges ${names(network.bridges)}` : '',
    network.hosts.length > 0 ? `hosts ${names(network.hosts)}` : '',
    network.routers.length > 0 ? `routers ${names(network.routers)}` : '',
  ].filter((part) => part !== '')
  const extra = rundirWords(rundir, usualRundir)
  const tries: [string, string][] = []
  const ping = pingable(network)
  if (ping !== undefined)
    tries.push([`exec ${ping[0]} ping -c 3 ${ping[1]}`, 'reach the gateway or a neighbour'])
  const client = network.hosts.find((h) => h.interfaces.some((i) => i.addressing === 'dhcp'))
  if (client !== undefined) {
    const iface = client.interfaces.find((i) => i.addressing === 'dhcp')!.name
    tries.push([`exec ${client.name} ip address show ${iface}`, 'the address it got by DHCP'])
    tries.push([`show leases${extra}`, 'what the DHCP server has given out'])
  }
  const host = network.hosts[0]
  if (host !== undefined) tries.push([`exec ${host.name} bash`, `a shell on ${host.name}`])
  tries.push([`show fdb${extra}`, 'learned addresses; also arp, routes, nat, flows, ports'])
  if (host !== undefined) {
    tries.push([`capture ${host.name} -w -${extra} | tcpdump -nr -`, `the traffic of ${host.name}, live`])
  }
  tries.push([`top${extra}`, 'live rates'], [`stop${extra}`, 'take everything back'])
  const width = Math.max(...tries.map(([command]) => command.length))
  return [
    '',
    `${colors.green('up:')} ${wanted === undefined ? 'what the database says' : parts.length === 0 ? 'an empty network' : parts.join('; ')}`,
    '',
    'Commands to try:',
    ...tries.map(
      ([command, what]) => `  npx vswitchd-ts ${command.padEnd(width)}  ${colors.dim(`# ${what}`)}`,
    ),
  ].join('\n')
}
