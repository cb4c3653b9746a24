import { expect, test } from 'vitest'
import { TRUNK_ALL } from '../../../engine/dpif.ts'
import type { QosSpec } from '../../../engine/dpif-qos.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { QUEUE_ALL } from '../../../protocols/openflow/queue.ts'
import { OF13, OF14, type OfVersion } from '../../../protocols/openflow/version.ts'
import { OpenflowLab } from '../../support/openflow-peer.ts'

const QOS: QosSpec = {
  type: 'linux-htb',
  maxRate: 10e6,
  queues: [
    { queue: 1, minRate: 2e6, maxRate: 12e6 },
    { queue: 5, maxRate: 3_333_333 },
  ],
}

function shapedLab(): OpenflowLab {
  const lab = new OpenflowLab()
  lab.lab.port('p1', 'br0', TRUNK_ALL, { qos: QOS })
  return lab
}

test.each<OfVersion>([1, 2, 3, 4, 5, 6])(
  'queues are counted and described by version %i',
  async (version) => {
    const lab = shapedLab()
    const peer = await lab.peer(version)
    lab.lab.commands.portOutput('p1', new Uint8Array(100))
    const stats = await peer.ask('QUEUE_STATS_REQUEST', { port: OFPP_ANY, queue: QUEUE_ALL })
    expect(stats.body).toMatchObject([
      { port: 1, queue: 0, txPackets: 1, txBytes: 100, txErrors: 0 },
      { port: 1, queue: 1, txPackets: 0, txBytes: 0, txErrors: 0 },
      { port: 1, queue: 5, txPackets: 0, txBytes: 0, txErrors: 0 },
    ])
    expect((await peer.ask('QUEUE_STATS_REQUEST', { port: 1, queue: 5 })).body).toMatchObject([{ queue: 5 }])
    // In tenths of a percent of the port's rate.
    const config = await peer.ask('QUEUE_GET_CONFIG_REQUEST', { port: 1, queue: QUEUE_ALL })
    expect(config.body).toEqual([
      { port: 1, queue: 0, minRate: undefined, maxRate: undefined },
      { port: 1, queue: 1, minRate: 200, maxRate: 1000 },
      { port: 1, queue: 5, minRate: undefined, maxRate: 333 },
    ])
    expect(lab.mistakes).toEqual([])
  },
)

test('durations are those of the queue, and outlive other rates', async () => {
  const lab = shapedLab()
  const peer = await lab.peer(OF13)
  lab.lab.pass(3)
  lab.lab.port('p1', 'br0', TRUNK_ALL, { qos: { ...QOS, maxRate: 5e6 } })
  const { body } = await peer.ask('QUEUE_STATS_REQUEST', { port: 1, queue: 1 })
  expect(body).toMatchObject([{ durationSec: 3, durationNsec: 0 }])
})

test('ports and queues that are not there', async () => {
  const peer = await shapedLab().peer(OF14)
  const stats = (port: number, queue: number) => peer.errorOf('QUEUE_STATS_REQUEST', { port, queue })
  const config = (port: number, queue: number) => peer.errorOf('QUEUE_GET_CONFIG_REQUEST', { port, queue })
  expect(await stats(9, QUEUE_ALL)).toBe('OFPQOFC_BAD_PORT')
  expect(await stats(1, 9)).toBe('OFPQOFC_BAD_QUEUE')
  expect(await stats(OFPP_ANY, 9)).toBe('OFPQOFC_BAD_QUEUE')
  expect(await stats(2, QUEUE_ALL)).toBeUndefined()
  expect(await config(9, QUEUE_ALL)).toBe('OFPQOFC_BAD_PORT')
  expect(await config(1, 9)).toBe('NXQOFC_QUEUE_ERROR')
  expect(await config(OFPP_ANY, 9)).toBe('OFPQOFC_BAD_QUEUE')
})
