import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FlowMod } from '../../../protocols/openflow/flow-mod.ts'
import { listenStreams } from '../../../src/net/stream.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { BridgeControllers } from '../../../src/openflow/bridge-controllers.ts'
import type { Connection } from '../../../src/openflow/connection.ts'
import type { OpenflowSwitch } from '../../../src/openflow/openflow-switch.ts'
import { SwitchOnDemand } from '../../../src/openflow/switch-on-demand.ts'
import type { OpenflowSpec } from '../../../src/reconcile/element.ts'
import { FakeDpif } from '../../support/fake-dpif.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const PROBE = 100

function specOf(target: string, failMode: 'standalone' | 'secure'): OpenflowSpec {
  const limits = { maxBackoff: 8000, inactivityProbe: PROBE, rateLimit: 0, burstLimit: 0, dscp: 48 }
  return {
    bridge: 'br0',
    datapathId: '0000000000000001',
    versions: 0x7e,
    failMode,
    flowTables: [],
    controllers: [{ target, ...limits }],
  }
}

function controllersOf(dpif: FakeDpif, clock: VirtualClock, make: () => Promise<OpenflowSwitch>) {
  const sw = new SwitchOnDemand({ bridge: 'br0', make, log: () => {} })
  return new BridgeControllers({ sw, dpif: dpif.door, clock, onChange: () => {}, log: () => {} })
}

const whatIsDone = (dpif: FakeDpif) =>
  dpif.calls.map(([name, , mods]) => (name === 'flowMod' ? (mods as FlowMod[])[0].command : name))

test.each([
  ['before anything is changed', 'at once', []],
  ['while the flows are taken away', 'flushing', ['flowFlush']],
])('fail-open gives way to a controller that comes %s', async (_, when, before) => {
  const listener = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, ({ duplex }) => {
    duplex.on('error', () => {}).resume()
  })
  let flushed = () => {}
  const dpif = new FakeDpif({
    flowFlush: () =>
      new Promise<void>((resolve) => {
        flushed = resolve
      }),
  })
  const done = () => whatIsDone(dpif)
  const clock = new VirtualClock()
  let close = () => {}
  const connects = await new Promise<() => void>((resolve) => {
    const admit = ({ duplex, onReady }: Parameters<OpenflowSwitch['admit']>[0]) => {
      const connection = { close: () => duplex.destroy() } as unknown as Connection
      resolve(() => onReady?.())
      return connection
    }
    const make = async () => ({ admit }) as unknown as OpenflowSwitch
    const controllers = controllersOf(dpif, clock, make)
    close = () => void controllers.close()
    void controllers.put(specOf(`tcp:127.0.0.1:${listener.port}`, 'standalone'))
    clock.advance(0)
  })
  clock.advance(3 * PROBE)
  if (when === 'flushing') await until(() => done().length > 0, 'the flows are taken away')
  connects()
  await until(() => {
    flushed()
    return done().includes('delete_strict')
  }, 'the flow is taken away')
  await setImmediate()
  flushed()
  await setImmediate()
  expect(done()).toEqual([...before, 'delete_strict'])
  close()
  await listener.close()
})

test('the flow of fail-open goes when the bridge becomes secure without a controller', async () => {
  const dpif = new FakeDpif()
  const clock = new VirtualClock()
  const controllers = controllersOf(dpif, clock, () => new Promise(() => {}))
  const target = 'unix:/nowhere'
  await controllers.put(specOf(target, 'standalone'))
  clock.advance(3 * PROBE)
  await until(() => whatIsDone(dpif).includes('add'), 'the flow is added')
  await controllers.put(specOf(target, 'secure'))
  await until(() => whatIsDone(dpif).includes('delete_strict'), 'the flow is taken away')
  expect(whatIsDone(dpif)).toEqual(['flowFlush', 'add', 'delete_strict'])
  await controllers.close()
})
