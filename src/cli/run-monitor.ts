/** `monitor`: databases followed live, as a page on a terminal, as lines anywhere else. */

import { now } from '../../engine/sys/clock.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { CliError } from '../errors.ts'
import { changeLines } from '../monitor/change-lines.ts'
import { Screen } from '../monitor/screen.ts'
import type { TlsFiles } from '../net/stream.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import { type Remote, remoteAt } from '../ovsdb/remote.ts'
import { Replica } from '../ovsdb/replica.ts'
import { realClock } from '../services/scheduler.ts'
import { EXIT_NOT_RUNNING, EXIT_USAGE } from './exit-codes.ts'
import { colors, print } from './output.ts'

export interface MonitorOptions {
  /** Remotes, separated by commas. */
  readonly db: string
  readonly tls: TlsFiles | undefined
  /** All that the server has, when none is named. */
  readonly databases: readonly string[]
  /** All when none is named. */
  readonly tables: readonly string[]
}

type OnChange = (before: Snapshot | undefined, after: Snapshot, changes: readonly RowChange[]) => void

export async function runMonitor(options: MonitorOptions): Promise<void> {
  const remotes = options.db.split(/,(?=\w+:)/).map((name) => remoteFor(name, options.tls))
  const databases =
    options.databases.length > 0 ? options.databases : await listDatabases(options.db, remotes)
  if (process.stdout.isTTY) await followOnScreen(options, remotes, databases)
  else await followInLines(options, remotes, databases)
}

function remoteFor(name: string, tls: TlsFiles | undefined): Remote {
  const remote = remoteAt(name, tls)
  if (remote !== undefined) return remote
  throw new CliError(`"${name}" is no address of a database server.`, {
    code: EXIT_USAGE,
    hint: 'It is unix:FILE, tcp:HOST[:PORT], ssl:HOST[:PORT], or one of these with a p in front.',
  })
}

async function listDatabases(db: string, remotes: readonly Remote[]): Promise<readonly string[]> {
  const client = new OvsdbClient({ remotes, clock: realClock, retry: false })
  try {
    client.start()
    const names = (await client.request('list_dbs', [])) as readonly Json[]
    return names.map(String).filter((name) => !name.startsWith('_'))
  } catch (error) {
    throw new CliError(`The database server cannot be reached at ${db}: ${(error as Error).message}.`, {
      code: EXIT_NOT_RUNNING,
      hint: 'Is the switch running? --db names another place.',
    })
  } finally {
    client.close()
  }
}

/** Follows the databases until the client is closed. */
function follow(
  { tables }: MonitorOptions,
  remotes: readonly Remote[],
  databases: readonly string[],
  changed: OnChange,
  notice: (text: string) => void,
): OvsdbClient {
  const client = new OvsdbClient({ remotes, clock: realClock, log: { info: notice, warn: notice } })
  const wanted =
    tables.length === 0 ? {} : { tables: Object.fromEntries(tables.map((table) => [table, undefined])) }
  for (const database of databases) {
    let before: Snapshot | undefined
    const replica: Replica = new Replica(client, {
      database,
      ...wanted,
      leaderOnly: false,
      changed: (changes) => {
        const after = replica.snapshot!
        changed(before, after, changes)
        before = after
      },
    })
  }
  client.start()
  return client
}

async function followInLines(
  options: MonitorOptions,
  remotes: readonly Remote[],
  databases: readonly string[],
) {
  const report: OnChange = (before, after, changes) => {
    const time = new Date(now()).toISOString()
    for (const line of changeLines(before, after, changes)) print(`${time} ${line}`)
  }
  const client = follow(options, remotes, databases, report, () => {})
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  client.close()
}

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const HOME = '\x1b[H'
/** What has changed stops being marked without anything else happening. */
const REDRAW = 500

async function followOnScreen(
  options: MonitorOptions,
  remotes: readonly Remote[],
  databases: readonly string[],
) {
  const { stdin, stdout } = process
  const screen = new Screen()
  let drawing = false
  const draw = () => {
    drawing = false
    const lines = screen.page(stdout.columns || 80, stdout.rows || 24, now(), colors)
    stdout.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW)
  }
  const drawSoon = () => {
    if (drawing) return
    drawing = true
    setImmediate(draw)
  }
  const changed: OnChange = (before, after, changes) => {
    screen.update(after, before === undefined ? undefined : changes, now())
    screen.notice = ''
    drawSoon()
  }
  const notice = (text: string) => {
    screen.notice = text
    drawSoon()
  }
  let quit = () => {}
  const ended = new Promise<void>((resolve) => {
    quit = resolve
  })
  const onKey = (key: Buffer) => {
    if (!press(screen, key.toString(), (stdout.rows || 24) - 5)) quit()
    else drawSoon()
  }
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdout.on('resize', drawSoon)
  process.once('SIGINT', quit)
  process.once('SIGTERM', quit)
  stdout.write(ENTER)
  const client = follow(options, remotes, databases, changed, notice)
  let cancel = () => {}
  const tick = () => {
    drawSoon()
    cancel = realClock.schedule(now() + REDRAW, tick)
  }
  tick()
  try {
    await ended
  } finally {
    cancel()
    client.close()
    stdout.off('resize', drawSoon)
    stdin.off('data', onKey)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    stdout.write(LEAVE)
  }
}

/** @returns whether it goes on */
function press(screen: Screen, key: string, page: number): boolean {
  switch (key) {
    case 'q':
    case '\x03':
      return false
    case '\t':
    case 'n':
      screen.nextTab(1)
      return true
    case '\x1b[Z':
    case 'p':
      screen.nextTab(-1)
      return true
    case '\x1b[A':
      screen.scroll(-1, 0)
      return true
    case '\x1b[B':
      screen.scroll(1, 0)
      return true
    case '\x1b[5~':
      screen.scroll(-page, 0)
      return true
    case '\x1b[6~':
      screen.scroll(page, 0)
      return true
    case '\x1b[C':
      screen.scroll(0, 1)
      return true
    case '\x1b[D':
      screen.scroll(0, -1)
      return true
    default:
      return true
  }
}
