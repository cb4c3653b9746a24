/**
 * From start to ready, to be run in a private world (see `start.ts`): this switch until `start --detach` returns;
 * both daemons of Open vSwitch started together, their database made, until ovs-vsctl has added a bridge and two
 * ports and ovs-vswitchd has confirmed it. Prints the results as JSON.
 */
import { existsSync } from 'node:fs'
import { BRIDGE, missing, withPorts } from '../peers/open-vswitch.ts'
import { startOurs } from '../peers/ours.ts'
import { ip, resident } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { leftOut, type Result } from '../support/result.ts'

const present = (device: string) => existsSync(`/proc/sys/net/ipv4/conf/${device}`)
const PORTS = ['t1', 't2']
const rounds = process.argv.includes('--quick') ? 3 : 9
const figures = new Figures('start')
const notes: Result[] = []

interface Started {
  readonly pids: readonly number[]
  stop(): unknown
}

const OURS = 'ours'
const STARTS: Record<string, () => Started | Promise<Started>> = {
  [OURS]: () => {
    const ports = Object.fromEntries(PORTS.map((name) => [name, { type: 'tap' }]))
    const running = startOurs({ bridges: { br: { ports } } })
    return { pids: [running.pid], stop: running.stop }
  },
  'Open vSwitch': async () => {
    const ovs = await withPorts('tap', PORTS)
    const stop = async () => {
      await ovs.stop()
      // Its TAPs outlive it.
      for (const device of [...PORTS, BRIDGE]) if (present(device)) ip('link', 'del', device)
    }
    return { pids: ovs.pids, stop }
  },
}
if (missing !== undefined) {
  delete STARTS['Open vSwitch']
  notes.push(leftOut('Open vSwitch', `${missing} is not installed`))
}

/** @param counts the first time of each, programs come from the disk */
async function measure(name: string, counts: boolean): Promise<void> {
  const begin = performance.now()
  const started = await STARTS[name]!()
  const took = performance.now() - begin
  try {
    for (const port of PORTS) {
      if (!present(port)) throw new Error(`${name} has no port ${port}`)
    }
    if (!counts) return
    figures.add(name, 'start to ready', took, 'ms', true)
    figures.add(name, 'memory when ready', resident(started.pids) / 2 ** 20, 'MiB', true)
  } finally {
    await started.stop()
  }
}

const names = Object.keys(STARTS)
for (let round = 0; round <= rounds; round++) {
  for (const name of round % 2 === 0 ? names : [...names].reverse()) await measure(name, round > 0)
}
console.log(JSON.stringify([...figures.results([OURS]), ...notes]))
