/** The commands of ovs-vswitchd. */

import { DummyAddresses } from '../dummy/dummy-addresses.ts'
import { machineSurroundings } from '../tunnel/machine-surroundings.ts'
import { absentCommands } from './absent-commands.ts'
import { bridgeCommands } from './bridge-commands.ts'
import { choiceCommands } from './choice-commands.ts'
import type { CommandRegistry } from './command-registry.ts'
import { coverageCommands } from './coverage-commands.ts'
import { featureCommands } from './datapath-features.ts'
import { dpctlCommands } from './dpctl-commands.ts'
import { dpifCommands } from './dpif-commands.ts'
import { type ConnectionStates, dummyCommands } from './dummy-commands.ts'
import { fdbCommands } from './fdb-commands.ts'
import { FlowNames } from './flow-names.ts'
import { pmdCommands } from './pmd-commands.ts'
import { qosCommands } from './qos-commands.ts'
import type { SwitchView } from './switch-view.ts'
import { timeCommands } from './time-commands.ts'
import { traceCommands } from './trace-commands.ts'
import { tunnelCommands } from './tunnel-commands.ts'
import { upcallCommands } from './upcall-commands.ts'

/** @param dummy how dummy ports are connected, where there are such ports: commands for tests come with them */
export function addSwitchCommands(
  registry: CommandRegistry,
  view: SwitchView,
  dummy?: ConnectionStates,
): void {
  const flowNames = new FlowNames()
  registry.add(
    ...fdbCommands(view),
    ...bridgeCommands(view),
    ...dpifCommands(view, flowNames),
    ...featureCommands(view),
    ...dpctlCommands(view, flowNames),
    ...pmdCommands(view),
    ...upcallCommands(view),
    ...traceCommands(view),
    ...qosCommands(view),
    ...absentCommands(),
    ...choiceCommands(),
    ...coverageCommands(
      () => events(view),
      () => kept(view),
    ),
  )
  if (dummy === undefined) {
    registry.add(...tunnelCommands(machineSurroundings))
    return
  }
  const addresses = new DummyAddresses()
  registry.add(
    ...tunnelCommands(() => ({ addresses: (device) => addresses.of(device), routes: [] })),
    ...dummyCommands(view, dummy, addresses),
    ...timeCommands(view),
  )
}

async function events(view: SwitchView): Promise<Record<string, number>> {
  const { emcHits, megaflowHits, upcalls, drops } = await view.dpif.stats()
  const dropped = Object.entries(drops).map(([name, count]) => [`drop_${name.replaceAll('-', '_')}`, count])
  return {
    datapath_emc_hit: emcHits,
    datapath_megaflow_hit: megaflowHits,
    dpif_upcall: upcalls,
    ...Object.fromEntries(dropped),
  }
}

async function kept(view: SwitchView): Promise<Record<string, number>> {
  const [stats, ports] = await Promise.all([view.dpif.stats(), view.dpif.ports()])
  return { cells: stats.cells - stats.cellsFree, flows: stats.flows, ports: ports.length }
}
