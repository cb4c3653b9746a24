/** Brings up the switch of `ovs-vswitchd`. */
import { openDpifThread } from '../../engine/dpif-thread.ts'
import { Switch } from '../daemon/switch.ts'
import { DummyLinks } from '../dummy/dummy-links.ts'
import { DummyOptionsReader } from '../dummy/dummy-options.ts'
import { ipProgram } from '../lab/ip.ts'
import { Ledger } from '../lab/ledger.ts'
import { recover } from '../lab/recover.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import { remoteAt } from '../ovsdb/remote.ts'
import { versionText } from '../process/daemon-options.ts'
import type { DaemonContext, Service } from '../process/daemon-program.ts'
import type { GivenOption } from '../process/getopt.ts'
import { realClock } from '../services/scheduler.ts'
import { addSwitchCommands } from '../unixctl/switch-commands.ts'
import type { Dummies } from '../vswitch/dummies.ts'
import { VSwitch } from '../vswitch/vswitch.ts'

function dummiesOf(options: readonly GivenOption[]): Dummies {
  const option = options.filter(({ name }) => name === 'enable-dummy').at(-1)
  if (option === undefined) return 'none'
  if (option.value === undefined) return 'own'
  if (option.value === 'override' || option.value === 'system') return option.value
  throw new Error(`unknown dummy class "${option.value}"`)
}

/** @param usual where the database is unless an argument says so */
export async function startSwitch(context: DaemonContext, usual: string): Promise<Service> {
  const { options, directories, vlog, commands, end } = context
  if (options.some(({ name }) => name === 'dpdk')) {
    throw new Error('Using --dpdk to configure DPDK is not supported.')
  }
  const dummies = dummiesOf(options)
  const address = context.arguments[0] ?? usual
  const given = (name: string) => options.filter((option) => option.name === name).at(-1)?.value
  const remote = remoteAt(address, tlsFilesGiven(given))
  if (remote === undefined) throw new Error(`"${address}" is no address of a database server`)
  const log = vlog.module('bridge')
  const switchLog = { debug: log.dbg, info: log.dbg, warn: log.warn, error: log.err, fatal: log.emer }
  const machine = { ip: ipProgram(), ledger: Ledger.open(directories.run), warn: log.warn }
  await recover(machine, (what) => log.info(`left by an earlier run, removed: ${what}`))
  const dpif = openDpifThread()
  const network = new Switch({ machine, rundir: directories.run, log: switchLog, onProgress: () => {} }, dpif)
  const reconnect = vlog.module('reconnect')
  const ovs = new OvsdbClient({ remotes: [remote], clock: realClock, log: reconnect })
  const links = new DummyLinks({ dpif, captures: network.captures, clock: realClock, warn: log.warn })
  const dummyOptions = new DummyOptionsReader()
  const vswitch = new VSwitch({
    network,
    ovs,
    lab: undefined,
    dummies,
    onSettled: async (snapshot, touched) => {
      if (dummies !== 'none') await links.configure(dummyOptions.read(snapshot, touched))
    },
    clock: realClock,
    log: (level, message) => switchLog[level](message),
  })
  dpif.ended.catch((error: Error) => {
    log.emer(`the dataplane broke down: ${error.message}`)
    end(1)
  })
  addSwitchCommands(
    commands,
    {
      dpif,
      bridges: () =>
        network.network.bridges.map(({ name }) => ({ name, datapathType: vswitch.datapathType(name) })),
      reconnect: (bridge) => network.reconnect(bridge),
      clockSet: (at, runs) => dpif.clockSet(at, runs),
    },
    dummies === 'none' ? undefined : (port) => links.stateOf(port),
  )
  ovs.start()
  const ready = async () => {
    await vswitch.ready()
    log.info(versionText('ovs-vswitchd'))
    await vswitch.follow()
  }
  return {
    ready: ready(),
    async close() {
      await vswitch.close()
      ovs.close()
      await links.close()
      await network.close()
      machine.ledger.close()
    },
  }
}
