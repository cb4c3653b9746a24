/** What the kernel has: its bridge, and its router with the NAT of iptables, on veth pairs. */

import { execFileSync } from 'node:child_process'
import {
  addNamespaces,
  BESIDE,
  configure,
  GATEWAY,
  type Host,
  INSIDE,
  ip,
  lacking,
  macOf,
  type Network,
  OUTSIDE,
  type Peer,
  TRANSLATED,
} from './peer.ts'

const SWITCH = 'kernel'

/** A veth pair from a host to the namespace of the switch. */
function connect(port: string, namespace: string, address: string, gateway?: string): Host {
  ip('-n', SWITCH, 'link', 'add', port, 'up', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  return configure(namespace, address, gateway)
}

async function stop(): Promise<void> {
  for (const name of ['a', 'b', SWITCH]) ip('netns', 'del', name)
}

export const kernelBridge: Peer = {
  name: 'kernel bridge, veth',
  start: async (): Promise<Network> => {
    addNamespaces('a', 'b', SWITCH)
    const from = connect('p1', 'a', INSIDE)
    const to = connect('p2', 'b', BESIDE)
    ip('-n', SWITCH, 'link', 'add', 'br0', 'up', 'type', 'bridge')
    for (const port of ['p1', 'p2']) ip('-n', SWITCH, 'link', 'set', port, 'master', 'br0')
    return { from, to, nextHop: macOf(to), pids: [], stop }
  },
}

/**
 * What the kernel carries it carries in the time of whoever sends or receives, so that it has but the processor of the
 * hosts where these must leave another to the switch. This is what it does with all of them.
 */
function anywhere(peer: Peer): Peer {
  return { ...peer, name: `${peer.name}, all processors`, only: 'TCP', anywhere: true }
}

export const iptables: Peer = {
  name: 'iptables SNAT, veth',
  missing: lacking('iptables'),
  start: async (): Promise<Network> => {
    addNamespaces('a', 'b', SWITCH)
    const from = connect('p1', 'a', INSIDE, GATEWAY)
    const to = connect('p2', 'b', OUTSIDE)
    ip('-n', SWITCH, 'addr', 'add', `${GATEWAY}/24`, 'dev', 'p1')
    ip('-n', SWITCH, 'addr', 'add', `${TRANSLATED}/24`, 'dev', 'p2')
    const inside = (command: string) => execFileSync('ip', ['netns', 'exec', SWITCH, 'sh', '-c', command])
    inside('echo 1 >/proc/sys/net/ipv4/ip_forward')
    inside(`iptables -t nat -A POSTROUTING -o p2 -s ${INSIDE} -j SNAT --to-source ${TRANSLATED}`)
    const nextHop = macOf({ namespace: SWITCH, device: 'p1' })
    return { from, to, nextHop, pids: [], stop }
  },
}

export const kernelBridgeAnywhere = anywhere(kernelBridge)
export const iptablesAnywhere = anywhere(iptables)
