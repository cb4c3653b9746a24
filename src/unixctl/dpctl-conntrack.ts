/** dpctl/…conntrack and ct-…: the connections of ct(), ovs-vswitchd(8) "DATAPATH CONNECTION TRACKING". */
import type { CtLimits, CtRow } from '../../engine/dpif-conntrack.ts'
import type { UnixctlCommand } from './command-registry.ts'
import { formatConnection } from './conntrack-text.ts'
import { parseFlush } from './conntrack-tuple.ts'
import { dpctlError, INVALID, nothingLeft, splitArguments, takeDatapath } from './dpctl-arguments.ts'
import { allRows, type SwitchView } from './switch-view.ts'

const MAX_ZONE = 0xffff

/** `zone=N`, if it is that. @throws UnixctlError */
function zoneOf(arg: string | undefined): number | undefined {
  if (arg === undefined || !arg.startsWith('zone=')) return undefined
  const text = arg.slice('zone='.length)
  if (!/^\d+$/.test(text) || Number(text) > MAX_ZONE) throw dpctlError('failed to parse zone', INVALID)
  return Number(text)
}

export function dpctlConntrackCommands(view: SwitchView): UnixctlCommand[] {
  const { dpif } = view
  const connections = async (zone?: number): Promise<CtRow[]> => {
    const rows = await allRows((from) => dpif.ctConnections(from))
    return zone === undefined ? rows : rows.filter((row) => row.zone === zone)
  }
  return [
    {
      name: 'dpctl/dump-conntrack',
      usage: '[-m] [-s] [dp] [zone=N]',
      min: 0,
      max: 4,
      run: async (args) => {
        const { options, rest } = splitArguments(args)
        const last = rest.at(-1)
        const zone = /^zone=\d+$/.test(last ?? '') ? zoneOf(last) : undefined
        nothingLeft((await takeDatapath(view, zone === undefined ? rest : rest.slice(0, -1))).rest)
        const text = {
          verbose: options.has('-m') || options.has('--more'),
          statistics: options.has('-s') || options.has('--statistics'),
        }
        return (await connections(zone)).map((row) => formatConnection(row, text)).join('')
      },
    },
    {
      name: 'dpctl/flush-conntrack',
      usage: '[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]',
      min: 0,
      max: 4,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const zone = zoneOf(rest[0])
        await dpif.ctFlush(zone, parseFlush(zone === undefined ? rest : rest.slice(1), zone))
        return ''
      },
    },
    {
      name: 'dpctl/ct-stats-show',
      usage: '[dp] [zone=N]',
      min: 0,
      max: 3,
      run: async (args) => {
        const { rest } = await takeDatapath(
          view,
          args.filter((arg) => arg !== 'verbose'),
        )
        return statistics(await connections(zoneOf(rest[0])), args.includes('verbose'))
      },
    },
    {
      name: 'dpctl/ct-bkts',
      usage: '[dp] [gt=N]',
      min: 0,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const threshold = Number(/^gt=(\d+)$/.exec(rest[0] ?? '')?.[1] ?? 0)
        return buckets((await connections()).length, threshold)
      },
    },
    ...limitCommands(view, connections),
  ]
}

function statistics(rows: readonly CtRow[], verbose: boolean): string {
  const count = (proto: number) => rows.filter((row) => row.proto === proto).length
  const lines = ['Connections Stats:', `    Total: ${rows.length}`]
  for (const [proto, name] of [
    [6, 'TCP'],
    [17, 'UDP'],
    [1, 'ICMP'],
    [132, 'SCTP'],
  ] as const) {
    if (count(proto) === 0) continue
    lines.push(`  ${name}: ${count(proto)}`)
    if (proto !== 6 || !verbose) continue
    lines.push('    Conn per TCP states:')
    const states = new Map<string, number>()
    for (const row of rows) if (row.proto === 6) states.set(row.state, (states.get(row.state) ?? 0) + 1)
    for (const [state, n] of states) lines.push(`\t  [${state}]=${n}`)
  }
  return `${lines.join('\n')}\n`
}

/** The table of connections has one bucket for who looks at it from here. */
function buckets(connections: number, threshold: number): string {
  const head = `Total Buckets: 1\nCurrent Connections: ${connections}\n\n`
  if (connections <= threshold) return head
  const line = '+-----------+-----------------------------------------+'
  const title = '|  Buckets  |         Connections per Buckets         |'
  return `${head}${line}\n${title}\n${line}\n   0..  7   | ${String(connections).padStart(5)}\n\n`
}

function limitCommands(view: SwitchView, connections: () => Promise<CtRow[]>): UnixctlCommand[] {
  const { dpif } = view
  const change = async (part: Partial<CtLimits>) => {
    await dpif.ctLimitsPut({ ...(await dpif.ctLimits()), ...part })
    return ''
  }
  return [
    {
      name: 'dpctl/ct-set-maxconns',
      usage: '[dp] maxconns',
      min: 1,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        if (!/^\d+$/.test(rest[0] ?? '')) throw dpctlError('maxconns missing or malformed', INVALID)
        await change({ connections: Number(rest[0]) })
        return 'setting maxconns successful'
      },
    },
    {
      name: 'dpctl/ct-get-maxconns',
      usage: '[dp]',
      min: 0,
      max: 1,
      run: async (args) => {
        await takeDatapath(view, args, 0)
        return `${(await dpif.ctLimits()).connections}\n`
      },
    },
    {
      name: 'dpctl/ct-get-nconns',
      usage: '[dp]',
      min: 0,
      max: 1,
      run: async (args) => {
        await takeDatapath(view, args, 0)
        return `${(await connections()).length}\n`
      },
    },
    ...[true, false].map((wanted) => ({
      name: `dpctl/ct-${wanted ? 'enable' : 'disable'}-tcp-seq-chk`,
      usage: '[dp]',
      min: 0,
      max: 1,
      run: async (args: readonly string[]) => {
        await takeDatapath(view, args, 0)
        await dpif.ctSequenceChecks(wanted)
        return `${wanted ? 'enabling' : 'disabling'} TCP sequence checking successful`
      },
    })),
    {
      name: 'dpctl/ct-get-tcp-seq-chk',
      usage: '[dp]',
      min: 0,
      max: 1,
      run: async (args) => {
        await takeDatapath(view, args, 0)
        return `TCP sequence checking: ${(await dpif.ctSequenceChecks()) ? 'enabled' : 'disabled'}\n`
      },
    },
    {
      name: 'dpctl/ct-set-limits',
      usage: '[dp] [default=L] [zone=N,limit=L]...',
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const limits = await dpif.ctLimits()
        const zones = new Map(limits.zones)
        let usual = limits.zone
        for (const arg of rest) {
          const [, all, zone, limit] = /^(?:default=(\d+)|zone=(\d+),limit=(\d+))$/.exec(arg) ?? []
          if (all !== undefined) usual = Number(all)
          else if (zone !== undefined && Number(zone) <= MAX_ZONE) zones.set(Number(zone), Number(limit))
          else throw dpctlError('failed to parse zone limit', INVALID)
        }
        return change({ zone: usual, zones })
      },
    },
    {
      name: 'dpctl/ct-del-limits',
      usage: '[dp] zone=N1[,N2]...',
      min: 1,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const zones = new Map((await dpif.ctLimits()).zones)
        for (const zone of zoneList(rest[0] ?? '')) zones.delete(zone)
        return change({ zones })
      },
    },
    {
      name: 'dpctl/ct-get-limits',
      usage: '[dp] [zone=N1[,N2]...]',
      min: 0,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const limits = await dpif.ctLimits()
        const shown = rest.length === 0 ? [...limits.zones.keys()] : zoneList(rest[0])
        const rows = await connections()
        const lines = shown.map((zone) => {
          const count = rows.filter((row) => row.zone === zone).length
          return `zone=${zone},limit=${limits.zones.get(zone) ?? limits.zone},count=${count}\n`
        })
        return `default limit=${limits.zone}\n${lines.join('')}`
      },
    },
  ]
}

/** `zone=1,2`. @throws UnixctlError */
function zoneList(text: string): number[] {
  const list = /^zone=(\d+(?:,\d+)*)$/.exec(text)?.[1].split(',').map(Number)
  if (list === undefined || list.some((zone) => zone > MAX_ZONE)) {
    throw dpctlError('failed to parse zone', INVALID)
  }
  return list
}
