import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { listenStreams, openStream } from '../../../src/net/stream.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { ActiveController } from '../../../src/openflow/controllers.ts'
import { SwitchOnDemand } from '../../../src/openflow/switch-on-demand.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OpenflowLab } from '../../support/openflow-peer.ts'
import { until } from '../../support/until.ts'

const LIMITS = { maxBackoff: 8000, inactivityProbe: 5000, rateLimit: 0, burstLimit: 0, dscp: 48 }

/** What is logged of a controller that is connected to. */
async function logged(target: string): Promise<string[]> {
  const lines: string[] = []
  const controller = new ActiveController(
    {
      target: { target, ...LIMITS },
      tls: undefined,
      sw: new SwitchOnDemand({ bridge: 'br0', make: async () => new OpenflowLab().sw, log: () => {} }),
      clock: realClock,
      onChange: () => {},
      log: (level, message) => lines.push(`${level} ${message}`),
    },
    parseOfAddress(target)!,
  )
  await until(() => lines.length > 0, 'something is logged')
  controller.close()
  return lines
}

test('a controller that hangs up is no cause for concern, one that is not there is', async () => {
  const listener = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, ({ duplex }) => {
    duplex
      .on('error', () => {})
      .resume()
      .end()
  })
  const target = `tcp:127.0.0.1:${listener.port}`
  expect(await logged(target)).toEqual([`info br0: controller ${target}: connection closed by peer`])
  await listener.close()
  const [line] = await logged(target)
  expect(line).toMatch(/^warn br0: controller \S+: connect ECONNREFUSED/)
})

test('a controller that is taken out before the switch can speak OpenFlow is not connected to', async () => {
  const came: string[] = []
  const listener = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, ({ duplex, peer }) => {
    came.push(peer)
    duplex.on('error', () => {}).resume()
  })
  const target = `tcp:127.0.0.1:${listener.port}`
  const address = parseOfAddress(target)!
  const make = async () => {
    controller.close()
    return new OpenflowLab().sw
  }
  const sw = new SwitchOnDemand({ bridge: 'br0', make, log: () => {} })
  const controller = new ActiveController(
    {
      target: { target, ...LIMITS },
      tls: undefined,
      sw,
      clock: realClock,
      onChange: () => {},
      log: () => {},
    },
    address,
  )
  await until(() => sw.made !== undefined, 'the switch can speak OpenFlow')
  const later = (await openStream(address, undefined, new AbortController().signal)) as Socket
  const peer = `tcp:127.0.0.1:${later.localPort}`
  await until(() => came.includes(peer), 'who comes later is there')
  expect(came).toEqual([peer])
  later.destroy()
  await listener.close()
})
