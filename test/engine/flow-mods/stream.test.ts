/** The way of flow-mods through the ring, both of its ends in one thread. */
import { expect, test } from 'vitest'
import { LocalDatapath } from '../../../engine/dpif-local.ts'
import { FlowModIntake, type FlowModNews } from '../../../engine/flow-mods/intake.ts'
import { FlowModOutlet } from '../../../engine/flow-mods/outlet.ts'
import { FlowModRing } from '../../../engine/flow-mods/ring.ts'
import type { FlowModStream } from '../../../engine/flow-mods/stream.ts'
import { Outbox } from '../../../engine/outbox.ts'
import { encodeMessage } from '../../../protocols/openflow/message.ts'
import { messageXid } from '../../../protocols/openflow/message-header.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { OF13 } from '../../../protocols/openflow/version.ts'
import { bridgeSpec } from '../../support/switch-lab.ts'

class Ends {
  readonly local = new LocalDatapath({ random: () => 7 })
  readonly refused: string[] = []
  readonly ring = new FlowModRing()
  /** News on its way to the control side. */
  readonly news: FlowModNews[] = []
  readonly outbox = new Outbox<FlowModNews>((all) => this.news.push(...all))
  readonly intake = new FlowModIntake(this.local.datapath, new FlowModRing(this.ring.memory), this.outbox)
  readonly outlet = new FlowModOutlet({
    ring: this.ring,
    rouse: () => {},
    catchUp: () => this.deliver(),
  })

  constructor() {
    this.local.commands.bridgePut(bridgeSpec('br', { failMode: 'secure' }))
  }

  open(bridge = 'br'): FlowModStream {
    const { id, stream } = this.outlet.open(
      (error, bytes) => this.refused.push(`${messageXid(bytes)} ${error}`),
      (gone) => this.intake.close(gone),
    )
    this.intake.open(id, bridge)
    return stream
  }

  deliver(): void {
    for (const news of this.news.splice(0)) this.outlet.receive(news)
  }

  work(): void {
    while (this.intake.take() > 0);
    this.outbox.flush()
    this.deliver()
  }

  get rules(): number {
    return this.local.datapath.topology.bridges.get('br')!.tables.size
  }
}

const flow = (line: string, xid: number): Uint8Array =>
  encodeMessage('FLOW_MOD', parseFlowLine(line), { version: OF13, xid })!

test('flow-mods are carried out in order, some at a time, and who waits is told', async () => {
  const ends = new Ends()
  const stream = ends.open()
  for (let i = 0; i < 100; i++) expect(stream.push(flow(`priority=${i},actions=drop`, i), false)).toBe(true)
  let settled = false
  const waiting = stream.settled().then(() => {
    settled = true
  })
  expect(stream.settle()).toBe(false)
  const first = ends.intake.take()
  expect(first).toBeLessThan(100)
  expect(ends.rules).toBe(first)
  ends.deliver()
  await Promise.resolve()
  expect(settled).toBe(false)
  ends.work()
  await waiting
  expect([ends.rules, stream.settle()]).toEqual([100, true])
})

test('what is refused is told before the stream is settled, and stops nothing', () => {
  const ends = new Ends()
  const stream = ends.open()
  const broken = flow('actions=drop', 2)
  broken[25] = 9 // the command
  const buffered = flow('priority=3,actions=drop', 4)
  buffered.fill(0, 32, 36) // the buffer
  const pushed = [flow('priority=1,actions=drop', 1), broken, flow('table=254,actions=drop', 3), buffered]
  for (const bytes of pushed) stream.push(bytes, false)
  while (ends.intake.take() > 0);
  expect(ends.refused).toEqual([])
  expect(stream.settle()).toBe(true)
  expect(ends.refused).toEqual(['2 OFPFMFC_BAD_COMMAND', '3 OFPBRC_EPERM', '4 OFPBRC_BUFFER_UNKNOWN'])
  expect(ends.rules).toBe(2)
})

test('a full ring has room again when half of it has been carried out; streams share it', async () => {
  const ends = new Ends()
  const [a, b, lost] = [ends.open(), ends.open(), ends.open('nowhere')]
  let pushed = 0
  while (a.push(flow(`priority=${pushed % 100},actions=drop`, 1), false)) pushed++
  expect(b.push(flow('table=7,actions=drop', 2), false)).toBe(false)
  const room = b.room()
  ends.work()
  await room
  expect([
    b.push(flow('table=7,actions=drop', 3), false),
    lost.push(flow('table=8,actions=drop', 4), false),
  ]).toEqual([true, true])
  ends.work()
  expect([ends.rules, ends.refused]).toEqual([101, []])
})

test('a closed stream still does what was pushed and tells no more; the end of the dataplane ends waiting', async () => {
  const ends = new Ends()
  const stream = ends.open()
  stream.push(flow('table=254,actions=drop', 1), false)
  stream.push(flow('actions=drop', 2), false)
  stream.close()
  ends.work()
  expect([ends.rules, ends.refused]).toEqual([1, []])
  const other = ends.open()
  other.push(flow('priority=9,actions=drop', 3), false)
  const waiting = other.settled()
  ends.outlet.end(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
})
