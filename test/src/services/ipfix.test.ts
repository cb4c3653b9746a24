/** What is exported of a bridge in memory, to collectors at the loopback interface, under a virtual clock. */
import { createSocket, type Socket } from 'node:dgram'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { IpfixProcess } from '../../../src/config/network.ts'
import { Ipfix } from '../../../src/services/ipfix.ts'
import { fromHex } from '../../support/frames.ts'
import { IpfixCollector } from '../../support/ipfix-collector.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const ETH = '020000000002 020000000001'
const udpTo = (port: string): Uint8Array =>
  fromHex(`${ETH} 0800 4500 0020 0000 0000 4011 66ca 0a000001 0a000002 0001 ${port} 000c 0000 01020304`)
const SAMPLE = 'sample(probability=65535,collector_set_id=7),output:2'

class Listening {
  readonly collector = new IpfixCollector()
  readonly socket: Socket = createSocket('udp4')
  target = ''

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve))
    this.socket.on('message', (message, { port }) => this.collector.receive(message, port))
    this.target = `127.0.0.1:${this.socket.address().port}`
    return this
  }

  /** Waits until so many records of flows have come. */
  async flows(count: number) {
    await until(() => this.collector.flows().length >= count, `${count} records`)
    return this.collector.flows()
  }
}

let lab: OpenflowLab
let clock: VirtualClock
let ipfix: Ipfix
let first: Listening
let second: Listening
let warnings: string[]

beforeEach(async () => {
  lab = new OpenflowLab(['p1', 'p2'])
  lab.flows([`actions=${SAMPLE}`])
  clock = new VirtualClock()
  warnings = []
  const log = (_level: string, message: string) => warnings.push(message)
  ipfix = new Ipfix({ dpif: lab.lab.local.dpif, clock, indexOf: (port) => Number(port.slice(1)), log })
  first = await new Listening().open()
  second = await new Listening().open()
})
afterEach(async () => {
  await ipfix.remove('br0')
  first.socket.close()
  second.socket.close()
})

function set(change: Partial<IpfixProcess & { id: number }> = {}) {
  const targets = [first.target]
  return { id: 7, targets, cacheActiveTimeout: 10, cacheMaxFlows: 10, ...change }
}

const send = (port: string) => lab.send(1, udpTo(port))

test('flows leave when their time has come, and the rest when the bridge goes', async () => {
  await ipfix.put({ bridge: 'br0', sets: [set()] })
  send('0035')
  clock.advance(10_000)
  const [record] = await first.flows(1)
  expect(record!.values).toMatchObject({ 11: '0035', 10: '00000001', 136: '02' })
  send('0036')
  await ipfix.remove('br0')
  expect((await first.flows(2))[1]!.values).toMatchObject({ 11: '0036', 136: '04' })
  expect(ipfix.flowStats('br0')).toEqual([])
  expect(first.collector.gaps).toBe(0)
})

test('collectors come and go while the counting goes on', async () => {
  await ipfix.put({ bridge: 'br0', sets: [set({ cacheActiveTimeout: 0 })] })
  send('0001')
  clock.advance(0)
  await first.flows(1)
  const targets = [first.target, second.target]
  await ipfix.put({ bridge: 'br0', sets: [set({ targets, cacheActiveTimeout: 0 })] })
  send('0002')
  clock.advance(0)
  // The new one is told the templates too.
  expect(await second.flows(1)).toHaveLength(1)
  expect(await first.flows(2)).toHaveLength(2)
  const [stats] = ipfix.flowStats('br0')
  expect(stats).toMatchObject({ totalFlows: 2, packets: 2, collectorSetId: 7 })
  const messages = first.collector.messages + second.collector.messages
  await until(() => ipfix.flowStats('br0')[0]!.transmittedPackets === messages, 'what was sent is counted')
  await ipfix.put({ bridge: 'br0', sets: [set({ id: 8 })] })
  expect(ipfix.flowStats('br0')).toMatchObject([{ totalFlows: 0, collectorSetId: 8 }])
})

test('a set that nobody has is sampled in vain, BFD is no traffic, and samples are always taken', async () => {
  lab.flows(['in_port=1,actions=sample(probability=65535,collector_set_id=9),output:2'])
  const all = { ...set(), sampling: 1, obsDomainId: 0, obsPointId: 0, input: true, output: false }
  await ipfix.put({ bridge: 'br0', all, sets: [] })
  for (let i = 0; i < 20 * 256; i++) send('0ec8')
  expect(ipfix.bridgeStats('br0')).toMatchObject({ totalFlows: 0 })
  send('0035')
  expect(ipfix.bridgeStats('br0')).toMatchObject({ totalFlows: 1, ipv4Packets: 1, collectorSetId: 0 })
  expect(lab.lab.commands.stats().drops['sample-queue-full']).toBeUndefined()
})

test('what cannot be sent is counted and told once', async () => {
  // Broadcasts are not allowed to a socket that does not ask for it.
  await ipfix.put({ bridge: 'br0', sets: [set({ targets: ['255.255.255.255:9'] })] })
  send('0035')
  clock.advance(10_000)
  await until(() => ipfix.flowStats('br0')[0]!.transmitErrors > 3, 'the errors are counted')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('255.255.255.255:9 cannot be reached')
  expect(ipfix.flowStats('br0')[0]!.transmittedPackets).toBe(0)
})
