/**
 * From start to ready, to be run in a private world (see `start.ts`): this switch until `start --detach` returns;
 * both daemons of Open vSwitch started together, their database made, until ovs-vsctl has added a bridge and two
 * ports and ovs-vswitchd has confirmed it. Then what ovs-vsctl adds to either, until it returns: a port, and in the last
 * round very many at once. Prints the results as JSON.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { BRIDGE, missing, withPorts } from '../peers/open-vswitch.ts'
import { startOurs } from '../peers/ours.ts'
import { ip, resident } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { leftOut, type Result } from '../support/result.ts'

const present = (device: string) => existsSync(`/proc/sys/net/ipv4/conf/${device}`)
const PORTS = ['t1', 't2']
const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 9
/** Ports that ovs-vsctl adds one after the other, and all in one. */
const SINGLES = 5
const MANY = quick ? 100 : 1000
const figures = new Figures('start')
const notes: Result[] = []

interface Started {
  readonly pids: readonly number[]
  readonly bridge: string
  readonly rundir: string
  stop(): unknown
}

const OURS = 'ours'
const STARTS: Record<string, () => Started | Promise<Started>> = {
  [OURS]: () => {
    const ports = Object.fromEntries(PORTS.map((name) => [name, { type: 'tap' }]))
    const running = startOurs({ bridges: { br: { ports } } })
    return { pids: [running.pid], bridge: 'br', rundir: running.rundir, stop: running.stop }
  },
  'Open vSwitch': async () => {
    const ovs = await withPorts('tap', PORTS)
    const stop = async () => {
      await ovs.stop()
      // Its TAPs outlive it.
      for (const device of [...PORTS, BRIDGE]) if (present(device)) ip('link', 'del', device)
    }
    return { pids: ovs.pids, bridge: BRIDGE, rundir: ovs.rundir, stop }
  },
}
if (missing !== undefined) {
  delete STARTS['Open vSwitch']
  notes.push(leftOut('Open vSwitch', `${missing} is not installed`))
}

function addPorts({ bridge, rundir }: Started, names: readonly string[]): void {
  const add = names.flatMap((name) => [
    ...['--', 'add-port', bridge, name],
    ...['--', 'set', 'interface', name, 'type=internal'],
  ])
  execFileSync('ovs-vsctl', ['--timeout=120', ...add], {
    env: { ...process.env, OVS_RUNDIR: rundir },
    stdio: 'pipe',
  })
}

/** Milliseconds that `action` takes. */
function timed(action: () => void): number {
  const begin = performance.now()
  action()
  return performance.now() - begin
}

/** How soon ovs-vsctl returns. Without Open vSwitch there is none. */
function measurePorts(name: string, started: Started, round: number): void {
  if (missing !== undefined) return
  const singles = Array.from({ length: SINGLES }, (_, i) => `s${round}-${i}`)
  const each = timed(() => {
    for (const port of singles) addPorts(started, [port])
  })
  figures.add(name, 'ovs-vsctl add-port', each / SINGLES, 'ms', true)
  if (round < rounds) return
  const many = Array.from({ length: MANY }, (_, i) => `m${i}`)
  const took = timed(() => addPorts(started, many))
  figures.add(name, `${MANY} ports in one ovs-vsctl`, took, 'ms', true)
}

/** @param round the first does not count: programs come from the disk */
async function measure(name: string, round: number): Promise<void> {
  const begin = performance.now()
  const started = await STARTS[name]!()
  const took = performance.now() - begin
  try {
    for (const port of PORTS) {
      if (!present(port)) throw new Error(`${name} has no port ${port}`)
    }
    if (round === 0) return
    figures.add(name, 'start to ready', took, 'ms', true)
    figures.add(name, 'memory when ready', resident(started.pids) / 2 ** 20, 'MiB', true)
    measurePorts(name, started, round)
  } finally {
    await started.stop()
  }
}

const names = Object.keys(STARTS)
for (let round = 0; round <= rounds; round++) {
  for (const name of round % 2 === 0 ? names : [...names].reverse()) await measure(name, round)
}
console.log(JSON.stringify([...figures.results([OURS]), ...notes]))
