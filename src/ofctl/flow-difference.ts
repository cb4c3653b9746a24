/** Commands that compare two sets of flows: diff-flows tells the differences, replace-flows makes them go away. */

import { existsSync } from 'node:fs'
import { type FlowMod, NO_BUFFER, OFPG_ANY, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import { emptyMatch, type Match } from '../../protocols/openflow/match.ts'
import { OFPP_NONE } from '../../protocols/openflow/port.ts'
import { formatActions } from '../../protocols/openflow/text/action-format.ts'
import { parseFlow } from '../../protocols/openflow/text/flow-parse.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import { print } from '../cli/output.ts'
import type { Runs } from './command.ts'
import { type Context, syntaxProblem } from './context.ts'
import { applyBundle, applyChanges, type Change } from './flow-changes.ts'
import { requestFlows } from './flow-commands.ts'
import { BUNDLE_VERSIONS } from './versions.ts'

/** What tells flows of one place apart. */
interface Version {
  readonly cookie: bigint
  readonly idleTimeout: number
  readonly hardTimeout: number
  readonly importance: number
  readonly flags: number
  readonly actions: FlowMod['actions']
}
interface Entry extends Version {
  readonly table: number
  readonly priority: number
  readonly match: Match
}
/** By table, priority and match. */
type Flows = Map<string, Entry>

function place(e: Entry): string {
  const tunnel = (e.match.tunMetadata ?? []).map((t) => `${t.index}:${t.value}:${t.mask ?? ''}`).join(';')
  return `${e.table}/${e.priority}/${e.match.value}/${e.match.mask}/${tunnel}`
}

function sameVersion(a: Version, b: Version): boolean {
  return (
    a.cookie === b.cookie &&
    a.idleTimeout === b.idleTimeout &&
    a.hardTimeout === b.hardTimeout &&
    a.importance === b.importance &&
    formatActions(a.actions) === formatActions(b.actions)
  )
}

function flowsOfFile(context: Context, file: string, names: NameMaps | undefined): Flows {
  const flows: Flows = new Map()
  for (const { number, text } of context.lines(file)) {
    try {
      const { newCookie: cookie, ...mod } = parseFlow(text.replace(/^add\s+/, ''), 'add', names)
      const entry: Entry = { ...mod, cookie, table: mod.table === OFPTT_ALL ? 0 : mod.table }
      flows.set(place(entry), entry)
    } catch (error) {
      throw error instanceof FlowSyntaxError ? syntaxProblem(`${file}:${number}: `, error) : error
    }
  }
  return flows
}

type Connection = Awaited<ReturnType<Context['connect']>>

async function flowsOfSwitch(c: Connection): Promise<Flows> {
  const everything = { table: OFPTT_ALL, outPort: OFPP_NONE, outGroup: OFPG_ANY, cookie: 0n, cookieMask: 0n }
  const { body } = await requestFlows(c, { match: emptyMatch(), ...everything })
  return new Map(body.map((f) => [place(f), f] as const))
}

/** Names that begin with / or . are files, those with a colon are switches; of others what exists. */
function isFile(source: string): boolean {
  if (/^[/.]/.test(source)) return true
  return !source.includes(':') && existsSync(source)
}

function formatEntry(e: Entry, names: NameMaps | undefined): string {
  let s = e.table === 0 ? '' : `table=${e.table} `
  s += formatMatch(e.match, names, e.priority)
  if (e.cookie !== 0n) s += ` cookie=0x${e.cookie.toString(16)}`
  if (e.idleTimeout !== 0) s += ` idle_timeout=${e.idleTimeout}`
  if (e.hardTimeout !== 0) s += ` hard_timeout=${e.hardTimeout}`
  if (e.importance !== 0) s += ` importance=${e.importance}`
  return `${s} actions=${formatActions(e.actions, names)}`
}

/** Exit code when there are differences, as ovs-ofctl has it. */
const DIFFERENT = 2

async function diffFlows(context: Context): Promise<void> {
  let shown: NameMaps | undefined
  const read = async (source: string): Promise<Flows> => {
    if (isFile(source)) return flowsOfFile(context, source, undefined)
    const c = await context.connect(source)
    shown ??= await context.shownNames(c)
    return flowsOfSwitch(c)
  }
  const [first, second] = [await read(context.args[0]!), await read(context.args[1]!)]
  const lines: string[] = []
  for (const key of new Set([...first.keys(), ...second.keys()])) {
    const [a, b] = [first.get(key), second.get(key)]
    if (a !== undefined && b !== undefined && sameVersion(a, b)) continue
    if (a !== undefined) lines.push(`-${formatEntry(a, shown)}`)
    if (b !== undefined) lines.push(`+${formatEntry(b, shown)}`)
  }
  if (lines.length === 0) return
  print(lines.join('\n'))
  process.exitCode = DIFFERENT
}

function modOf(e: Entry, kind: 'add' | 'delete_strict'): Change {
  const body: FlowMod = {
    command: kind,
    match: e.match,
    priority: e.priority,
    table: e.table,
    cookie: 0n,
    cookieMask: 0n,
    newCookie: kind === 'add' ? e.cookie : 0n,
    modifyCookie: kind === 'add',
    idleTimeout: kind === 'add' ? e.idleTimeout : 0,
    hardTimeout: kind === 'add' ? e.hardTimeout : 0,
    importance: kind === 'add' ? e.importance : 0,
    bufferId: NO_BUFFER,
    outPort: OFPP_NONE,
    outGroup: OFPG_ANY,
    flags: kind === 'add' ? e.flags : 0,
    actions: kind === 'add' ? e.actions : [],
  }
  return { type: 'FLOW_MOD', body }
}

async function replaceFlows(context: Context): Promise<void> {
  const { bundle, readd, versions } = context.options
  const [target, file = ''] = context.args
  const c = await context.connect(target, bundle ? versions | BUNDLE_VERSIONS : versions)
  const wanted = await context.parse(c, (names) => flowsOfFile(context, file, names))
  const present = await flowsOfSwitch(c)
  const changes: Change[] = []
  for (const [key, entry] of present) if (!wanted.has(key)) changes.push(modOf(entry, 'delete_strict'))
  for (const [key, entry] of wanted) {
    const now = present.get(key)
    if (readd || now === undefined || !sameVersion(now, entry)) changes.push(modOf(entry, 'add'))
  }
  await (bundle ? applyBundle(c, changes) : applyChanges(c, changes))
}

export const RUNS: Runs = {
  'replace-flows': replaceFlows,
  'diff-flows': diffFlows,
}
