/** dpif-netdev/…: what the dataplane's thread has done, ovs-vswitchd(8) "DPIF-NETDEV COMMANDS". */
import type { DatapathStats } from '../../engine/dpif-inspection.ts'
import type { UnixctlCommand } from './command-registry.ts'
import { dpctlError, INVALID } from './dpctl-arguments.ts'
import { datapaths, type SwitchView } from './switch-view.ts'

const COUNTERS = ['emcHits', 'megaflowHits', 'upcalls', 'recirculations', 'subtableLookups'] as const
type Counters = Pick<DatapathStats, (typeof COUNTERS)[number]>

export function pmdCommands(view: SwitchView): UnixctlCommand[] {
  /** What they were when they were last cleared. */
  let cleared: Counters = { emcHits: 0, megaflowHits: 0, upcalls: 0, recirculations: 0, subtableLookups: 0 }
  const since = async (): Promise<Counters> => {
    const stats = await view.dpif.stats()
    const counts = COUNTERS.map((name) => [name, stats[name] - cleared[name]])
    return Object.fromEntries(counts) as Counters
  }
  const check = async (args: readonly string[]) => {
    const name = args.find((arg, i) => !arg.startsWith('-') && !args[i - 1]?.startsWith('-'))
    if (name === undefined) return
    if (!(await datapaths(view)).some((dp) => dp.name === name || `ovs-${dp.type}` === name)) {
      throw dpctlError('please specify an existing datapath', INVALID)
    }
  }
  return [
    {
      name: 'dpif-netdev/pmd-stats-show',
      usage: '[-pmd core] [dp]',
      min: 0,
      max: 3,
      run: async (args) => {
        await check(args)
        return formatStats(await since())
      },
    },
    {
      name: 'dpif-netdev/pmd-stats-clear',
      usage: '[-pmd core] [dp]',
      min: 0,
      max: 3,
      run: async (args) => {
        await check(args)
        cleared = await view.dpif.stats()
        return ''
      },
    },
    {
      name: 'dpif-netdev/pmd-rxq-show',
      usage: '[-pmd core] [-secs secs] [dp]',
      min: 0,
      max: 5,
      // No thread does nothing but poll: queues are read by the one that does everything.
      run: async (args) => {
        await check(args)
        const seconds = /^\d+$/.exec(args[args.indexOf('-secs') + 1] ?? '')?.[0] ?? '60'
        return `Displaying last ${args.includes('-secs') ? seconds : '60'} seconds pmd usage %\n`
      },
    },
    {
      name: 'dpif-netdev/pmd-perf-show',
      usage: '[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]',
      min: 0,
      max: 8,
      run: async (args) => {
        await check(args)
        return ''
      },
    },
  ]
}

const ratio = (of: number, to: number): string => (to === 0 ? 0 : of / to).toFixed(2)

/** Batches of output are not counted: the line about them is missing. */
function formatStats({ emcHits, megaflowHits, upcalls, recirculations, subtableLookups }: Counters): string {
  const passes = emcHits + megaflowHits + upcalls
  const received = passes - recirculations
  return `main thread:
  packets received: ${received}
  packet recirculations: ${recirculations}
  avg. datapath passes per packet: ${ratio(passes, received)}
  phwol hits: 0
  mfex opt hits: 0
  simple match hits: 0
  emc hits: ${emcHits}
  smc hits: 0
  megaflow hits: ${megaflowHits}
  avg. subtable lookups per megaflow hit: ${ratio(subtableLookups, megaflowHits)}
  miss with success upcall: ${upcalls}
  miss with failed upcall: 0
`
}
