/**
 * Leases a second, to be run in a private world (see `dhcp.ts`): perfdhcp sends four-way exchanges of ever new clients
 * at a rate; a binary search finds the highest at which no more than one in a hundred is lost. The clients have one
 * processor, all threads of the server the other. Prints JSON.
 */
import { execFile } from 'node:child_process'
import { parseArgs, promisify } from 'node:util'
import { cpuSeconds, lacking } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { pin, SENDER_CPU, SWITCH_CPU } from '../support/processors.ts'
import { leftOut, type Result } from '../support/result.ts'
import { CLIENTS, type DhcpServer, dnsmasq, kea, ours } from './servers.ts'

const run = promisify(execFile)
/** Clients, as many as there are addresses. */
const TABLE = 60_000
const TOLERABLE_LOSS = 1
const HIGHEST_RATE = 20_000
const PRECISION = 0.06
/** A rate is too high when so many trials say so: a single one may have been disturbed. */
const TRIALS = 2
/** Every server gets to know its work first, at this rate. */
const WARM_UP = 300
/** Apart from the clients of what is measured. */
const WARM_UP_CLIENTS = 128

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, peer: { type: 'string', multiple: true } },
})
const seconds = options.quick ? 1 : 3
const rounds = options.quick ? 1 : 3
const figures = new Figures('DHCP')
const notes: Result[] = []

interface Exchanges {
  /** Leases acknowledged a second. */
  readonly rate: number
  /** Per cent of the exchanges begun. */
  readonly lost: number
}

async function offer(rate: number, first: number): Promise<Exchanges> {
  const base = `mac=02:${[24, 16, 8, 0].map((shift) => ((first >>> shift) & 255).toString(16).padStart(2, '0')).join(':')}:00`
  const how = [
    '-4',
    '-r',
    String(rate),
    '-R',
    String(TABLE),
    '-p',
    String(seconds),
    '-W',
    '300000',
    '-b',
    base,
    // What it recommends where it has one processor.
    '-g',
    'single',
  ]
  const command = ['netns', 'exec', CLIENTS, 'taskset', '-c', SENDER_CPU, 'perfdhcp', ...how, '-l', 'eth0']
  // Its exit code says whether anything was lost.
  const { stdout } = await run('ip', command).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }))
  const sections = stdout.split('***Statistics for: ')
  const of = (section: string, what: string) =>
    Number(new RegExp(`${what}: ([\\d.]+)`).exec(sections.find((s) => s.startsWith(section)) ?? '')?.[1] ?? 0)
  const begun = of('DISCOVER-OFFER', 'sent packets')
  const done = of('REQUEST-ACK', 'received packets')
  return { rate: done / seconds, lost: begun === 0 ? 100 : (1 - done / begun) * 100 }
}

interface Highest {
  readonly rate: number
  /** Of the server's, in microseconds a lease. */
  readonly time: number
}

/** A server of its own, once it knows its work, asked by so many clients a second. @param n one number each time */
async function attempt(server: DhcpServer, asked: number, n: number): Promise<Highest | undefined> {
  const { pid, stop } = await server.start()
  try {
    pin(SWITCH_CPU, [pid])
    await offer(WARM_UP, WARM_UP_CLIENTS + n)
    const before = cpuSeconds([pid])
    const { rate, lost } = await offer(asked, n)
    if (lost > TOLERABLE_LOSS || rate <= asked * 0.9) return undefined
    return { rate, time: ((cpuSeconds([pid]) - before) / (rate * seconds)) * 1e6 }
  } finally {
    await stop()
  }
}

async function highest(server: DhcpServer): Promise<Highest> {
  let best: Highest = { rate: 0, time: Number.NaN }
  let [low, high] = [0, HIGHEST_RATE]
  // Something to begin with: what it answers when asked far too much.
  for (let n = 0; high - low > high * PRECISION; n += TRIALS) {
    const asked = Math.round(n === 0 ? HIGHEST_RATE / 4 : (low + high) / 2)
    let granted: Highest | undefined
    for (let trial = 0; trial < TRIALS && granted === undefined; trial++) {
      granted = await attempt(server, asked, n + trial)
    }
    if (granted === undefined) high = asked
    else {
      low = asked
      if (granted.rate > best.rate) best = granted
    }
  }
  return best
}

const servers = [ours, kea, dnsmasq].filter(
  ({ name }) => options.peer === undefined || options.peer.some((part) => name.includes(part)),
)
const tool = lacking('perfdhcp')
for (let round = 0; round < rounds; round++) {
  for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
    const missing = tool ?? server.missing
    if (missing === undefined) {
      const { rate, time } = await highest(server)
      figures.add(server.name, 'leases a second, each on the disk, at 1 % loss or less', rate, '/s')
      if (rate > 0) figures.add(server.name, "processor time of a lease, the server's", time, 'µs', true)
    } else if (round === 0) {
      notes.push(leftOut(server.name, `${missing} is not installed`))
    }
  }
}
console.log(JSON.stringify([...figures.results([ours.name]), ...notes]))
