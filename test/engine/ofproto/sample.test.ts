/** Samples of packets, as they come out of the dataplane. */
import { expect, test } from 'vitest'
import { SAMPLE_BRIDGE, SAMPLE_SENT } from '../../../engine/actions/ops.ts'
import type { DpifEvent } from '../../../engine/dpif.ts'
import {
  SAMPLE_CHANCE,
  SAMPLE_DOMAIN,
  SAMPLE_FLAGS,
  SAMPLE_IN_PORT,
  SAMPLE_KEY,
  SAMPLE_LENGTH,
  SAMPLE_PORT,
  SAMPLE_SET,
  SAMPLE_WORDS,
  type SamplesEvent,
} from '../../../engine/dpif-sampling.ts'
import { GSO_TCPV4, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { W_L4, W_NW_DST, W_VLAN } from '../../../protocols/flow-key.ts'
import { fromHex } from '../../support/frames.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'

const ETH = '020000000002 020000000001'
const UDP = fromHex(
  `${ETH} 0800 4500 0020 0000 0000 4011 66ca 0a000001 0a000002 0001 0002 000c 0000 01020304`,
)
const ALL = 0xffff_ffff

interface Seen {
  readonly bridge: string
  readonly words: Uint32Array
  readonly inPort: string | undefined
  readonly port: string | undefined
}

class SampleLab extends OpenflowLab {
  readonly events: SamplesEvent[] = []

  constructor(...flows: string[]) {
    super(['p1', 'p2', 'p3'])
    this.flows(flows)
    this.lab.local.onEvent((event: DpifEvent) => {
      if (event.type === 'samples') this.events.push(event)
    })
  }

  /** Takes what has been sampled, as the control side would. */
  take(): Seen[] {
    this.lab.step()
    return this.events.splice(0).flatMap(({ samples, bridges, ports }) => {
      this.lab.commands.samplesTaken()
      return Array.from({ length: samples.length / SAMPLE_WORDS }, (_, i) => {
        const words = samples.subarray(i * SAMPLE_WORDS, (i + 1) * SAMPLE_WORDS)
        return {
          bridge: bridges.get(words[1])!,
          words,
          inPort: ports.get(words[SAMPLE_IN_PORT]),
          port: ports.get(words[SAMPLE_PORT]),
        }
      })
    })
  }
}

const SAMPLE = 'sample(probability=65535,collector_set_id=7,obs_domain_id=5,obs_point_id=6)'

test('a flow samples nothing while nobody collects, and each packet as it is then', () => {
  const lab = new SampleLab(
    `in_port=1,actions=mod_vlan_vid:9,mod_nw_dst:10.0.0.9,${SAMPLE},strip_vlan,output:2`,
    `in_port=2,actions=${SAMPLE}`,
  )
  lab.send(1, UDP)
  expect(lab.take()).toEqual([])
  lab.lab.commands.samplingPut('br0', {})
  const sent = lab.send(1, UDP)
  lab.send(2, UDP)
  const [first, second, ...more] = lab.take()
  expect(more).toEqual([])
  expect(first).toMatchObject({ bridge: 'br0', inPort: 'p1', port: undefined })
  expect(first!.words[SAMPLE_KEY + W_VLAN]! >>> 16).toBe(0x1009)
  expect(first!.words[SAMPLE_KEY + W_NW_DST]).toBe(0x0a000009)
  expect(first!.words[SAMPLE_LENGTH]).toBe(UDP.length + 4)
  expect([...first!.words.subarray(SAMPLE_SET, SAMPLE_DOMAIN + 2)]).toEqual([7, 5, 6])
  expect(first!.words[SAMPLE_FLAGS]).toBe(SAMPLE_SENT)
  // The second goes nowhere.
  expect(second!.words[SAMPLE_FLAGS]).toBe(0)
  // And what is sampled is sent as it would be without.
  lab.lab.commands.samplingPut('br0', undefined)
  expect(lab.send(1, UDP)).toEqual(sent)
  expect(lab.take()).toEqual([])
})

test('a bridge samples what comes in and, port by port, what goes out', () => {
  const lab = new SampleLab('in_port=1,actions=output:2,mod_vlan_vid:3,output:3', 'in_port=2,actions=drop')
  const sample = (input: boolean, output: boolean): string[] => {
    const all = { chance: ALL, obsDomainId: 1, obsPointId: 2, input, output }
    lab.lab.commands.samplingPut('br0', { all })
    lab.send(1, UDP)
    lab.send(2, UDP)
    return lab.take().map(({ words, inPort, port }) => {
      expect(words[SAMPLE_FLAGS]! & SAMPLE_BRIDGE).toBe(SAMPLE_BRIDGE)
      const sent = (words[SAMPLE_FLAGS]! & SAMPLE_SENT) === 0 ? ' dropped' : ''
      return `${inPort}>${port ?? ''} ${words[SAMPLE_LENGTH]}${sent}`
    })
  }
  expect(sample(true, true)).toEqual(['p1> 46', 'p1>p2 46', 'p1>p3 50', 'p2> 46 dropped'])
  expect(sample(true, false)).toEqual(['p1> 46', 'p2> 46 dropped'])
  expect(sample(false, true)).toEqual(['p1>p2 46', 'p1>p3 50'])
})

test('a patch port is no edge of the network: what it carries is sampled where it came in and goes out', () => {
  const lab = new SampleLab('actions=normal')
  const all = { chance: ALL, obsDomainId: 1, obsPointId: 2, input: true, output: true }
  lab.lab.bridge('br1')
  lab.lab.patch('a', 'br0', 'b')
  lab.lab.patch('b', 'br1', 'a')
  lab.lab.port('q', 'br1')
  for (const port of ['p2', 'p3']) lab.lab.deletePort(port)
  for (const bridge of ['br0', 'br1']) lab.lab.commands.samplingPut(bridge, { all })
  lab.send(1, UDP)
  const seen = lab.take().map(({ bridge, inPort, port }) => `${bridge} ${inPort}>${port ?? ''}`)
  expect(seen).toEqual(['br0 p1>', 'br1 p1>q'])
})

test.each([
  [1, 4],
  [32768, 60],
  [6553, 40],
])('a probability of %i of 65535 is kept to', (probability, deviation) => {
  const lab = new SampleLab(`actions=sample(probability=${probability},collector_set_id=1),output:2`)
  lab.lab.commands.samplingPut('br0', {})
  const frames = 4000
  let seen = 0
  for (let i = 0; i < frames; i++) {
    lab.send(1, UDP)
    const taken = lab.take()
    for (const { words } of taken) expect(words[SAMPLE_CHANCE]! >>> 16).toBe(probability)
    seen += taken.length
  }
  // The generator is seeded: this cannot fail by chance.
  expect(Math.abs(seen - (frames * probability) / 65535)).toBeLessThan(3 * deviation)
})

test('of a large segment each packet that it stands for has a chance of its own', () => {
  const lab = new SampleLab(`actions=${SAMPLE},output:2`)
  lab.lab.commands.samplingPut('br0', {})
  const dp = lab.lab.local.datapath
  const payload = 2500
  const total = (20 + 20 + payload).toString(16).padStart(4, '0')
  // PSH and ACK.
  const head = `${ETH} 0800 4500 ${total} 0000 0000 4006 0000 0a000001 0a000002 0001 0002 00000001 00000001 5018 2000 0000 0000`
  const frame = new Uint8Array(54 + payload)
  frame.set(fromHex(head))
  const h = dp.pool.fromBytes(frame)
  dp.pool.gsoType[h] = GSO_TCPV4
  dp.pool.gsoSize[h] = 1000
  dp.pool.vnetFlags[h] = VNET_NEEDS_CSUM
  dp.pool.csumStart[h] = 34
  dp.pool.csumOffset[h] = 16
  const portNo = lab.lab.commands.ports().find((p) => p.name === 'p1')!.portNo
  dp.receive(Uint32Array.of(h), 1, portNo)
  const seen = lab.take()
  expect(seen.map(({ words }) => words[SAMPLE_LENGTH])).toEqual([1054, 1054, 554])
  expect(seen.map(({ words }) => (words[SAMPLE_KEY + W_L4]! >>> 16) & 0xff)).toEqual([0x10, 0x10, 0x18])
})

test('while nobody takes them samples are dropped and counted, and frames are not', () => {
  const lab = new SampleLab(`actions=${SAMPLE},output:2`)
  lab.lab.commands.samplingPut('br0', {})
  const frames = 20 * 256
  let sent = 0
  for (let i = 0; i < frames; i += 64) sent += lab.lab.send('p1', ...Array(64).fill(UDP)).length
  expect(sent).toBe(frames)
  const waiting = lab.events.reduce((sum, { samples }) => sum + samples.length / SAMPLE_WORDS, 0)
  const lost = lab.lab.commands.stats().drops['sample-queue-full']!
  expect(lost).toBeGreaterThan(0)
  // What is in the batch that cannot leave yet comes with the next.
  expect(lab.events).toHaveLength(16)
  expect(waiting + lost).toBeGreaterThanOrEqual(frames - 256)
  lab.take()
  expect(lab.take().length + waiting + lost).toBe(frames)
})
