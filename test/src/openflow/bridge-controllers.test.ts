import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FlowMod } from '../../../protocols/openflow/flow-mod.ts'
import { listenStreams } from '../../../src/net/stream.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { BridgeControllers } from '../../../src/openflow/bridge-controllers.ts'
import type { Connection } from '../../../src/openflow/connection.ts'
import type { OpenflowSwitch } from '../../../src/openflow/openflow-switch.ts'
import { SwitchOnDemand } from '../../../src/openflow/switch-on-demand.ts'
import { FakeDpif } from '../../support/fake-dpif.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const PROBE = 100

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
  const done = () =>
    dpif.calls.map(([name, , mods]) => (name === 'flowMod' ? (mods as FlowMod[])[0].command : name))
  const clock = new VirtualClock()
  let close = () => {}
  const connects = await new Promise<() => void>((resolve) => {
    const admit = ({ duplex, onReady }: Parameters<OpenflowSwitch['admit']>[0]) => {
      const connection = { close: () => duplex.destroy() } as unknown as Connection
      resolve(() => onReady?.())
      return connection
    }
    const make = async () => ({ admit }) as unknown as OpenflowSwitch
    const sw = new SwitchOnDemand({ bridge: 'br0', make, log: () => {} })
    const controllers = new BridgeControllers({
      sw,
      dpif: dpif.door,
      clock,
      onChange: () => {},
      log: () => {},
    })
    close = () => void controllers.close()
    const target = `tcp:127.0.0.1:${listener.port}`
    const limits = { maxBackoff: 8000, inactivityProbe: PROBE, rateLimit: 0, burstLimit: 0, dscp: 48 }
    void controllers.put({
      bridge: 'br0',
      datapathId: '0000000000000001',
      versions: 0x7e,
      failMode: 'standalone',
      flowTables: [],
      controllers: [{ target, ...limits }],
    })
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
