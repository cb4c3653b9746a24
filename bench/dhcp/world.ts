/**
 * Leases a second, to be run in a private world (see `dhcp.ts`): four-way exchanges of ever new clients begin at a rate;
 * a binary search finds the highest at which no more than one in a hundred is lost. The clients have one processor, all
 * threads of the server the other. Prints JSON.
 *
 * There are two who ask. perfdhcp is what the field measures with; but an exchange takes it more than some servers, so
 * that it ends, on one processor, before they do. `clients.ts` takes a fraction of that. Both ask by the same messages,
 * and where both can ask they count the same.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { cpuSeconds, lacking } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { pin, SENDER_CPU, SWITCH_CPU } from '../support/processors.ts'
import { leftOut, type Result } from '../support/result.ts'
import { isWanted } from '../support/wanted.ts'
import { CLIENT, CLIENTS, type DhcpServer, dnsmasq, kea, ours } from './servers.ts'

const run = promisify(execFile)
/** Clients, as many as there are addresses: none asks twice. */
const TABLE = 60_000
const TOLERABLE_LOSS = 1
const PRECISION = 0.03
/** A rate is too high when so many trials say so: a single one may have been disturbed. */
const TRIALS = 2
/** Every server gets to know its work first, at this rate at the most and for so many seconds: a quarter of the table. */
const WARM_UP = 5000
const WARM_UP_SECONDS = 3
/** It has done it when it takes no processor time for so many milliseconds; or it is taken as it is after so many times. */
const STILL_MS = 200
const MAX_STILL = 50

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    figure: { type: 'string', multiple: true },
    peer: { type: 'string', multiple: true },
  },
})
const seconds = options.quick ? 1 : 3
const rounds = options.quick ? 1 : 3
const figures = new Figures('DHCP')
const notes: Result[] = []

interface Exchanges {
  readonly begun: number
  /** Leases acknowledged. */
  readonly done: number
}

/** Who begins exchanges, so many a second, from the client of that number on. */
interface Asker {
  readonly figure: string
  readonly missing?: string | undefined
  readonly highestRate: number
  ask(rate: number, seconds: number, first: number): Promise<Exchanges>
}

/** What a program of the clients' prints; it is at nothing else's expense. */
async function print(command: string, args: string[]): Promise<string> {
  // The exit code of perfdhcp says whether anything was lost.
  const { stdout } = await run('ip', [
    ...['netns', 'exec', CLIENTS, 'taskset', '-c', SENDER_CPU, command],
    ...args,
  ]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  return stdout
}

const manyClients: Asker = {
  figure: 'leases a second, each on the disk, at 1 % loss or less',
  highestRate: 40_000,
  ask: async (rate, seconds, first) => {
    const program = fileURLToPath(new URL('./clients.js', import.meta.url))
    const args = [CLIENT, 'eth0', rate, seconds, first].map(String)
    return JSON.parse(await print(process.execPath, [program, ...args]))
  },
}

const perfdhcp: Asker = {
  figure: 'the same, asked by perfdhcp',
  missing: lacking('perfdhcp'),
  highestRate: 20_000,
  ask: async (rate, seconds, first) => {
    const base = `mac=02:${[24, 16, 8, 0].map((shift) => ((first >>> shift) & 255).toString(16).padStart(2, '0')).join(':')}:00`
    const how = ['-4', '-r', rate, '-R', TABLE, '-p', seconds, '-W', 300_000, '-b', base].map(String)
    // What it recommends where it has one processor.
    const sections = (await print('perfdhcp', [...how, '-g', 'single', '-l', 'eth0'])).split(
      '***Statistics for: ',
    )
    const of = (section: string, what: string) =>
      Number(
        new RegExp(`${what}: ([\\d.]+)`).exec(sections.find((s) => s.startsWith(section)) ?? '')?.[1] ?? 0,
      )
    return { begun: of('DISCOVER-OFFER', 'sent packets'), done: of('REQUEST-ACK', 'received packets') }
  },
}

interface Highest {
  readonly rate: number
  /** Of the server's, in microseconds a lease. */
  readonly time: number
}

/** Until it has answered, or given up, what it was asked. */
async function settled(pid: number): Promise<void> {
  let before = -1
  for (let i = 0; i < MAX_STILL && cpuSeconds([pid]) !== before; i++) {
    before = cpuSeconds([pid])
    await sleep(STILL_MS)
  }
}

/** A server of its own, once it knows its work, asked by so many clients a second. */
async function attempt(server: DhcpServer, asker: Asker, asked: number): Promise<Highest | undefined> {
  const { pid, stop } = await server.start()
  try {
    pin(SWITCH_CPU, [pid])
    const warmUp = Math.min(WARM_UP, asked)
    await asker.ask(warmUp, WARM_UP_SECONDS, 0)
    await settled(pid)
    const before = cpuSeconds([pid])
    const known = warmUp * WARM_UP_SECONDS
    // In whole seconds: perfdhcp takes no others.
    const duration = Math.min(seconds, Math.floor((TABLE - known) / asked))
    const { begun, done } = await asker.ask(asked, duration, known)
    const rate = done / duration
    if (done < begun * (1 - TOLERABLE_LOSS / 100) || rate <= asked * 0.9) return undefined
    return { rate, time: ((cpuSeconds([pid]) - before) / done) * 1e6 }
  } finally {
    await stop()
  }
}

async function highest(server: DhcpServer, asker: Asker): Promise<Highest> {
  let best: Highest = { rate: 0, time: Number.NaN }
  let [low, high] = [0, asker.highestRate]
  // Something to begin with: what it answers when asked far too much.
  for (let asked = high / 4; high - low > high * PRECISION; asked = Math.round((low + high) / 2)) {
    let granted: Highest | undefined
    for (let trial = 0; trial < TRIALS && granted === undefined; trial++) {
      granted = await attempt(server, asker, asked)
    }
    if (granted === undefined) high = asked
    else {
      low = asked
      if (granted.rate > best.rate) best = granted
    }
  }
  return best
}

const servers = [ours, kea, dnsmasq].filter(({ name }) => isWanted(name, options.peer))
const askers = [manyClients, perfdhcp].filter(({ figure }) => isWanted(figure, options.figure))
for (let round = 0; round < rounds; round++) {
  for (const asker of askers) {
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      const missing = asker.missing ?? server.missing
      if (missing === undefined) {
        const { rate, time } = await highest(server, asker)
        figures.add(server.name, asker.figure, rate, '/s')
        if (asker === manyClients && rate > 0) {
          figures.add(server.name, "processor time of a lease, the server's", time, 'µs', true)
        }
      } else if (round === 0) {
        notes.push(leftOut(server.name, `${missing} is not installed`))
      }
    }
  }
}
console.log(JSON.stringify([...figures.results([ours.name]), ...notes]))
