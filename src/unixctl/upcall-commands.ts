/** upcall/… and revalidator/…: how flows come into the datapath and stay true, ovs-vswitchd(8). */
import type { UnixctlCommand } from './command-registry.ts'
import { datapaths, type SwitchView } from './switch-view.ts'

export function upcallCommands(view: SwitchView): UnixctlCommand[] {
  return [
    { name: 'upcall/show', usage: '', min: 0, max: 0, run: () => show(view) },
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
async function show(view: SwitchView): Promise<string> {
  const { flows, flowLimit } = await view.dpif.stats()
  return (await datapaths(view))
    .map(({ name }) =>
      [
        `${name}:`,
        `  flows         : (current ${flows}) (avg ${flows}) (max ${flows}) (limit ${flowLimit})`,
        '  dump duration : 1ms',
        '  ufid enabled : true',
        '',
        `  1: (keys ${flows})`,
        '',
      ].join('\n'),
    )
    .join('')
}
