/** upcall/… and revalidator/…: how flows come into the datapath and stay true, ovs-vswitchd(8). */
import type { UnixctlCommand } from './command-registry.ts'
import { datapaths, type SwitchView } from './switch-view.ts'

export function upcallCommands(view: SwitchView): UnixctlCommand[] {
  /** Of no effect: flows are dumped as they are, with or without being called by their identifiers. */
  let terse = true
  return [
    { name: 'upcall/show', usage: '', min: 0, max: 0, run: () => show(view, terse) },
    ...[true, false].map((used) => ({
      name: `upcall/${used ? 'enable' : 'disable'}-megaflows`,
      usage: '',
      min: 0,
      max: 0,
      run: async () => {
        await view.dpif.megaflowsUse(used)
        return `megaflows ${used ? 'enabled' : 'disabled'}`
      },
    })),
    ...[true, false].map((enabled) => ({
      name: `upcall/${enabled ? 'enable' : 'disable'}-ufid`,
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        terse = enabled
        return `Datapath dumping tersely using UFID ${enabled ? 'enabled for supported datapaths' : 'disabled'}`
      },
    })),
    {
      name: 'upcall/set-flow-limit',
      usage: 'flow-limit-number',
      min: 1,
      max: 1,
      run: async ([text]) => {
        const limit = Number(/^\d+/.exec(text)?.[0] ?? 0)
        await view.dpif.megaflowLimit(limit)
        return `set flow_limit to ${limit}\n`
      },
    },
    // Flows are dropped the moment that what they depend on changes: there is nothing to be waited for.
    {
      name: 'revalidator/wait',
      usage: '',
      min: 0,
      max: 0,
      run: async () => {
        await view.dpif.stats()
        return ''
      },
    },
    {
      name: 'revalidator/purge',
      usage: '',
      min: 0,
      max: 0,
      run: async () => {
        await view.dpif.megaflowsFlush()
        return ''
      },
    },
  ]
}

/** Nobody keeps averages: the number of now stands for the average and the most, too. */
async function show(view: SwitchView, terse: boolean): Promise<string> {
  const { flows, flowLimit } = await view.dpif.stats()
  return (await datapaths(view))
    .map(({ name }) =>
      [
        `${name}:`,
        `  flows         : (current ${flows}) (avg ${flows}) (max ${flows}) (limit ${flowLimit})`,
        '  dump duration : 1ms',
        `  ufid enabled : ${terse}`,
        '',
        `  1: (keys ${flows})`,
        '',
      ].join('\n'),
    )
    .join('')
}
