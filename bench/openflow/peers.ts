/**
 * Two switches that are programmed by OpenFlow and forward between two TAPs: this one and Open vSwitch with its
 * userspace datapath. Both live in the private world of `world.ts` and end with it.
 */
import { join } from 'node:path'
import { BRIDGE, withPorts } from '../peers/open-vswitch.ts'
import { startOurs } from '../peers/ours.ts'
import { addNamespaces, BESIDE, equip, type Host, hostOf, INSIDE } from '../peers/peer.ts'

export { BRIDGE, missing } from '../peers/open-vswitch.ts'

export interface Peer {
  readonly name: string
  /** Where ovs-ofctl and ovs-appctl find it. */
  readonly env: NodeJS.ProcessEnv
  /** Path of the socket where it speaks OpenFlow. */
  readonly socket: string
  /** At OpenFlow port 1. */
  readonly from: Host
  /** At OpenFlow port 2. */
  readonly to: Host
  /** Process whose memory counts. */
  readonly pid: number
  stop(): Promise<void>
}

const socketIn = (rundir: string): string => join(rundir, `${BRIDGE}.mgmt`)

export function ours(): Peer {
  const host = (address: string) => ({ interfaces: { eth0: { bridge: BRIDGE, address } } })
  const { rundir, pid, stop } = startOurs({
    bridges: { [BRIDGE]: { failMode: 'secure' } },
    hosts: { 'ours-a': host(INSIDE), 'ours-b': host(BESIDE) },
  })
  return {
    name: 'ours',
    env: { ...process.env, OVS_RUNDIR: rundir },
    socket: socketIn(rundir),
    from: hostOf('ours-a', INSIDE),
    to: hostOf('ours-b', BESIDE),
    pid,
    stop: async () => stop(),
  }
}

export async function openVswitch(): Promise<Peer> {
  const { env, rundir, pids, vsctl, stop } = await withPorts('tap', ['t1', 't2'])
  vsctl('set', 'bridge', BRIDGE, 'fail-mode=secure', 'protocols=OpenFlow10,OpenFlow13,OpenFlow14')
  addNamespaces('ovs-a', 'ovs-b')
  return {
    name: 'Open vSwitch',
    env,
    socket: socketIn(rundir),
    from: equip('t1', 'ovs-a', INSIDE),
    to: equip('t2', 'ovs-b', BESIDE),
    pid: pids[1]!,
    stop,
  }
}
