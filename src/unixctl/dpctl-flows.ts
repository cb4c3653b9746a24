/**
 * dpctl/…-flow and …-flows: the flows of the datapath, shown, and put there and taken away past the tables of rules,
 * ovs-vswitchd(8) "DATAPATH FLOW TABLE DEBUGGING".
 */
import { promises } from 'node:fs'
import { DpifError } from '../../engine/dpif.ts'
import type { MegaflowRow } from '../../engine/dpif-inspection.ts'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import { parseOdpActions } from '../../protocols/odp/action.ts'
import { parseOdpMatch } from '../../protocols/odp/key-parse.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import { parseMatch } from '../../protocols/openflow/text/match-parse.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import {
  dpctlError,
  findDatapath,
  INVALID,
  nothingLeft,
  splitArguments,
  takeDatapath,
} from './dpctl-arguments.ts'
import type { FlowNames } from './flow-names.ts'
import { blameOf } from './match-blame.ts'
import { formatMegaflow, formatMegaflowStats } from './megaflow-text.ts'
import { allRows, type DatapathView, datapaths, type SwitchView } from './switch-view.ts'

const MISSING = 'No such file or directory'

export function dpctlFlowCommands(view: SwitchView, names: FlowNames): UnixctlCommand[] {
  const flows = new DatapathFlows(view, names)
  const putter = (name: string, verb: 'add' | 'modify'): UnixctlCommand => ({
    name,
    usage: '[dp] flow actions',
    min: 2,
    max: 3,
    run: async (args) => {
      const { options, rest } = splitArguments(args)
      const [flow, actions] = (await takeDatapath(view, rest, 2)).rest
      return flows.put(flow, actions, { verb, options })
    },
  })
  const processor = (name: string, verb: Verb): UnixctlCommand => ({
    name,
    usage: '[dp] file',
    min: 1,
    max: 2,
    run: async (args) => {
      const { options, rest } = splitArguments(args)
      return processFile(flows, (await takeDatapath(view, rest, 1)).rest[0], { verb, options })
    },
  })
  return [
    {
      name: 'dpctl/dump-flows',
      usage: '[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]',
      min: 0,
      max: 6,
      run: (args) => dumpFlows(view, names, args),
    },
    putter('dpctl/add-flow', 'add'),
    putter('dpctl/mod-flow', 'modify'),
    {
      name: 'dpctl/del-flow',
      usage: '[dp] flow',
      min: 1,
      max: 2,
      run: async (args) => {
        const { options, rest } = splitArguments(args)
        return flows.delete((await takeDatapath(view, rest, 1)).rest[0], options)
      },
    },
    {
      name: 'dpctl/get-flow',
      usage: '[dp] ufid',
      min: 1,
      max: 2,
      run: async (args) => {
        const { options, rest } = splitArguments(args)
        const [text] = (await takeDatapath(view, rest, 1)).rest
        return flows.get(text, options)
      },
    },
    processor('dpctl/add-flows', 'add'),
    processor('dpctl/mod-flows', 'modify'),
    {
      name: 'dpctl/del-flows',
      usage: '[dp] [file]',
      min: 0,
      max: 2,
      run: async (args) => {
        const { rest } = splitArguments(args)
        const all = await datapaths(view)
        const named = rest.length > 0 && findDatapath(all, rest[0]) !== undefined
        if (rest.length > (named ? 1 : 0)) return processor('', 'delete').run(args)
        await takeDatapath(view, rest)
        await view.dpif.megaflowsFlush()
        return ''
      },
    },
  ]
}

type Verb = 'add' | 'modify' | 'delete'

interface PutOptions {
  readonly verb: 'add' | 'modify'
  readonly options: ReadonlySet<string>
}

class DatapathFlows {
  readonly #view: SwitchView
  readonly #names: FlowNames

  constructor(view: SwitchView, names: FlowNames) {
    this.#view = view
    this.#names = names
  }

  async put(text: string, actionText: string, { verb, options }: PutOptions): Promise<string> {
    const { name, key } = splitName(text)
    const { value, mask } = await this.#match(key, (reason) => `parsing flow key (${reason})`)
    const actions = parseOdpActions(actionText)
    if (actions === undefined) throw dpctlError('parsing actions', INVALID)
    // Open vSwitch's userspace datapath cannot do that, either.
    if (options.has('--clear')) throw dpctlError('updating flow table', 'Operation not supported')
    const put = {
      value,
      mask,
      actions,
      create: verb === 'add' || options.has('--may-create'),
      modify: verb === 'modify',
    }
    const row = await this.#view.dpif.megaflowPut(put).catch((error) => {
      throw error instanceof DpifError ? dpctlError('updating flow table', REASONS[error.code]) : error
    })
    if (name !== undefined) this.#names.give(name, row.id)
    return statistics(row, options)
  }

  async delete(text: string, options: ReadonlySet<string>): Promise<string> {
    const { name, key } = splitName(text)
    const match = await this.#match(key, (reason) => reason)
    const id = name === undefined ? match : this.#names.idOf(name)
    const row = id === undefined ? undefined : await this.#view.dpif.megaflowDelete(id)
    if (row === undefined) {
      const error = dpctlError('deleting flow', MISSING).message
      throw new UnixctlError(`${error}\nPerhaps you need to specify a UFID?\n`)
    }
    if (name !== undefined) this.#names.take(name)
    return statistics(row, options)
  }

  async get(called: string, options: ReadonlySet<string>): Promise<string> {
    const { name } = splitName(called)
    if (name === undefined) throw dpctlError('parsing flow ufid', 'Success')
    const id = this.#names.idOf(name)
    const text = await lineOptions(this.#view, this.#names, options)
    const row = id === undefined ? undefined : await this.#view.dpif.megaflow(id, text.byName)
    if (row === undefined) throw dpctlError('getting flow', MISSING)
    return formatMegaflow(row, text)
  }

  async #match(text: string, complaint: (reason: string) => string) {
    const ports = new Map((await this.#view.dpif.ports()).map(({ name, portNo }) => [name, portNo]))
    try {
      return parseOdpMatch(text, (name) => ports.get(name))
    } catch (error) {
      if (!(error instanceof FlowSyntaxError)) throw error
      throw dpctlError(complaint(error.message), INVALID)
    }
  }
}

/** What the datapath says of a flow that it does not take, in the words of errno. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'File exists',
  ENOENT: MISSING,
  ENOSPC: 'No space left on device',
  EBUSY: 'Device or resource busy',
  EINVAL: INVALID,
}

/** `ufid:NAME` in front of a flow, if it is there. @throws UnixctlError */
function splitName(text: string): { name: string | undefined; key: string } {
  if (!text.startsWith('ufid:')) return { name: undefined, key: text }
  const [, name, key] = /^ufid:((?:0x)?[0-9a-f-]+)[\s,]*(.*)$/i.exec(text) ?? []
  const digits = name?.replace(/^0x/i, '').replaceAll('-', '')
  if (digits?.length !== 32) throw dpctlError('parsing flow ufid', INVALID)
  return { name: digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), key }
}

function statistics(row: MegaflowRow, options: ReadonlySet<string>): string {
  return options.has('-s') || options.has('--statistics') ? `${formatMegaflowStats(row)}\n` : ''
}

/** Line by line; what one of them gets wrong is told, and the next is done. @throws UnixctlError */
async function processFile(
  flows: DatapathFlows,
  path: string,
  { verb: usual, options }: { readonly verb: Verb; readonly options: ReadonlySet<string> },
): Promise<string> {
  let text: string
  try {
    // The daemon's own standard input has nothing to say.
    text = path === '-' ? '' : await promises.readFile(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EACCES' ? 'Permission denied' : MISSING
    throw dpctlError(`Opening file "${path}" failed`, reason)
  }
  const answers: string[] = []
  for (const [i, whole] of text.split('\n').entries()) {
    const line = whole.replace(/#.*/, '').trim()
    if (line === '') continue
    const { verb, flow, actions } = parseLine(line, usual)
    try {
      if (flow === '' || (verb === 'delete') === (actions !== '')) {
        throw dpctlError(`Failed parsing line number ${i + 1}, skipped!`)
      }
      answers.push(
        verb === 'delete'
          ? await flows.delete(flow, options)
          : await flows.put(flow, actions, { verb, options }),
      )
    } catch (error) {
      if (!(error instanceof UnixctlError)) throw error
      answers.push(error.message.endsWith('\n') ? error.message : `${error.message}\n`)
    }
  }
  return answers.join('')
}

/** Perhaps what is to be done, a flow, and behind it, all that follows, actions. */
function parseLine(line: string, usual: Verb): { verb: Verb; flow: string; actions: string } {
  const [first] = /^[^,\s]*/.exec(line)!
  const verb = (['add', 'delete', 'modify'] as const).find((word) => first !== '' && word.startsWith(first))
  const [, flow, actions] = /^(\S*)\s*(.*)$/.exec(
    verb === undefined ? line : line.slice(first.length).trimStart(),
  )!
  return { verb: verb ?? usual, flow, actions }
}

async function lineOptions(view: SwitchView, names: FlowNames, options: ReadonlySet<string>) {
  const verbose = options.has('-m') || options.has('--more')
  const byName = (verbose || options.has('--names')) && !options.has('--no-names')
  const ports = byName
    ? new Map((await view.dpif.ports()).map(({ portNo, name }) => [portNo, name]))
    : undefined
  return {
    byName,
    verbose,
    separator: ', ',
    portName: (portNo: number) => ports?.get(portNo) ?? String(portNo),
    flowName: (id: number) => names.of(id),
  }
}

const TYPES = ['ovs', 'tc', 'dpdk', 'offloaded', 'non-offloaded', 'partially-offloaded', 'all']
/** Of them, those that flows here are of: no device forwards by itself. */
const OUR_TYPES = ['ovs', 'non-offloaded', 'all']

async function dumpFlows(view: SwitchView, names: FlowNames, args: readonly string[]): Promise<string> {
  const { options, rest } = splitArguments(args)
  const setting = (name: string) => rest.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1)
  const named = await takeDatapath(
    view,
    rest.filter((arg) => !/^(?:filter|type|pmd)=/.test(arg)),
  )
  nothingLeft(named.rest)
  const filter = filterOf(named.datapath, setting('filter'))
  const types = setting('type')?.split(',')
  for (const type of types ?? [])
    if (!TYPES.includes(type)) throw dpctlError(`Failed to parse type (${type})`, INVALID)
  const pmd = setting('pmd')
  // All is done by one thread, which has this number.
  const wanted =
    (pmd === undefined || pmd === '-1') && (types?.some((type) => OUR_TYPES.includes(type)) ?? true)
  const text = await lineOptions(view, names, options)
  const rows = wanted ? await flowsOf(view, named.datapath, text.byName) : []
  const lines = rows.filter(filter).map((row) => formatMegaflow(row, text))
  if (lines.length === 0) return ''
  return `${pmd === undefined ? 'flow-dump from the main thread:\n' : ''}${lines.join('')}`
}

async function flowsOf(view: SwitchView, datapath: DatapathView, names: boolean): Promise<MegaflowRow[]> {
  const rows = await allRows((from) => view.dpif.megaflows(from, names))
  const bridges = new Set(datapath.bridges.map(({ name }) => name))
  const ports = await view.dpif.ports()
  const own = new Set(ports.filter(({ bridge }) => bridges.has(bridge)).map(({ portNo }) => portNo))
  return rows.filter((row) => own.has(row.key[W_IN_PORT]))
}

/** Flows whose key is as an OpenFlow match says, ports being those of the datapath. @throws UnixctlError */
function filterOf({ ports }: DatapathView, text: string | undefined): (row: MegaflowRow) => boolean {
  if (text === undefined) return () => true
  const numberOf = (name: string) => ports.find((port) => port.name === name)?.portNo
  let match: Match
  try {
    match = parseMatch(text, { ports: { numberOf, nameOf: () => undefined } })
  } catch (error) {
    if (!(error instanceof FlowSyntaxError)) throw error
    throw dpctlError(`Failed to parse filter (${text}: ${blameOf(text, numberOf, error.message)})`)
  }
  const { value, mask } = match
  return ({ key }) => mask.every((bits, i) => (((key[i] ?? 0) ^ value[i]) & bits) === 0)
}
