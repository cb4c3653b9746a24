import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DpifEvent } from '../../engine/dpif.ts'
import { LocalDatapath } from '../../engine/dpif-local.ts'
import { formatOdpKey } from '../../protocols/odp/key-format.ts'
import { seededRandom } from '../../protocols/random.ts'
import { BROADCAST, makeFrame, tag } from '../support/frames.ts'
import { bridgeSpec, SwitchLab, vlan } from '../support/switch-lab.ts'

const A = 0x0200_0000_000a
const B = 0x0200_0000_000b
const C = 0x0200_0000_000c
const toAll = (src: number) => makeFrame({ dst: BROADCAST, src })

function threePorts(): SwitchLab {
  const lab = new SwitchLab()
  lab.bridge('br')
  for (const name of ['a', 'b', 'c']) lab.port(name, 'br')
  lab.send('a', toAll(A))
  lab.send('b', toAll(B))
  lab.send('c', toAll(C))
  return lab
}

/** All that a command may change. */
function state(lab: SwitchLab): unknown {
  const { topology } = lab.local.datapath
  const { commands } = lab
  return structuredClone({
    ports: commands.ports(),
    flows: commands.megaflows(0),
    stats: commands.stats(),
    fdb: [...topology.bridges.keys()].map((name) => commands.fdb(name, 0)),
    bridges: [...topology.bridges.values()].map((b) => [b.spec, b.ports.map((p) => p.spec)]),
  })
}

const stations = (lab: SwitchLab) =>
  lab.commands
    .fdb('br', 0)
    .rows.map((r) => `${r.mac & 15} ${r.port}`)
    .sort()

test('putting what is there already changes nothing that was learned, and no number', () => {
  const lab = threePorts()
  const before = lab.commands.ports()
  lab.bridge('br')
  expect(lab.port('b', 'br')).toEqual({ ofport: 2, portNo: 2 })
  expect(lab.commands.ports()).toEqual(before)
  expect(stations(lab)).toEqual(['10 a', '11 b', '12 c'])
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b'])
})

test('deleting what is not there is no error', () => {
  const lab = threePorts()
  const before = state(lab)
  lab.commands.portDelete('nobody')
  lab.commands.bridgeDelete('nothing')
  lab.commands.captureStop('nobody')
  expect(state(lab)).toEqual(before)
})

test('another VLAN for a port keeps its device, its counters and what is known of others', () => {
  const lab = threePorts()
  lab.port('b', 'br', vlan({ mode: 'access', tag: 7 }))
  expect(stations(lab)).toEqual(['10 a', '12 c'])
  expect(lab.device('b').state).toBe('up')
  expect(lab.commands.ports().find((p) => p.name === 'b')?.stats.rx_packets).toBe(1)
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['c'])
  expect(lab.ports('a', makeFrame({ dst: B, src: A, tags: [tag(7)] }))).toEqual(['b', 'c'])
})

test('a port that moves to another bridge takes its device along', () => {
  const lab = threePorts()
  lab.bridge('other')
  lab.port('d', 'other')
  expect(lab.port('b', 'other').ofport).toBe(2)
  expect(lab.device('b').state).toBe('up')
  expect(stations(lab)).toEqual(['10 a', '12 c'])
  expect(lab.ports('b', toAll(B))).toEqual(['d'])
  expect(lab.ports('a', toAll(A))).toEqual(['c'])
})

test.each<[string, (lab: SwitchLab) => void, string, string]>([
  ['no such bridge', (lab) => lab.port('n', 'none'), 'ENOENT', 'port n: no bridge none'],
  [
    'ofport taken',
    (lab) => lab.port('n', 'br', vlan({}), { ofport: 2 }),
    'EEXIST',
    'port n: ofport 2 is taken on br',
  ],
  [
    'ofport 0',
    (lab) => lab.port('n', 'br', vlan({}), { ofport: 0 }),
    'EINVAL',
    'port n: ofport 0 is not from 1 to 65279',
  ],
  [
    'ofport of an old port taken',
    (lab) => lab.port('a', 'br', vlan({}), { ofport: 2 }),
    'EEXIST',
    'port a: ofport 2 is taken on br',
  ],
  [
    'no such device',
    (lab) => lab.port('n', 'br', vlan({}), { kind: { type: 'memory', key: 'none' } }),
    'ENODEV',
    'port n: no device is attached as "none"',
  ],
  [
    'no such device for a port that is there',
    (lab) => lab.port('a', 'br', vlan({ tag: 5, mode: 'access' }), { kind: { type: 'memory', key: 'none' } }),
    'ENODEV',
    'port a: no device is attached as "none"',
  ],
  [
    'a kind that simulations lack',
    (lab) => lab.port('a', 'br', vlan({}), { kind: { type: 'system', device: 'eno1' } }),
    'EINVAL',
    'port a: a simulation has no devices of type system',
  ],
  ['output to nobody', (lab) => lab.commands.portOutput('nobody', toAll(A)), 'ENOENT', 'no port nobody'],
  [
    'output of too much',
    (lab) => lab.commands.portOutput('a', new Uint8Array(70_000)),
    'ENOSPC',
    'a frame of 70000 bytes finds no room',
  ],
  ['addresses of nothing', (lab) => lab.commands.fdb('none', 0), 'ENOENT', 'no bridge none'],
  ['flush of nothing', (lab) => lab.commands.fdbFlush('none'), 'ENOENT', 'no bridge none'],
  ['capture of nobody', (lab) => lab.commands.captureStart('nobody', 100), 'ENOENT', 'no port nobody'],
])('refused and nothing changed: %s', (_name, command, code, message) => {
  const lab = threePorts()
  const { drops: _before, ...before } = state(lab) as Record<string, unknown>
  expect(() => command(lab)).toThrow(expect.objectContaining({ name: 'DpifError', code, message }))
  const { drops: _after, ...after } = state(lab) as Record<string, unknown>
  if (code === 'ENOSPC') (before['stats'] as { drops: object }).drops = { 'no-cells': 1 }
  expect(after).toEqual(before)
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b'])
})

test('ofports are given in order, kept, asked for, and given again', () => {
  const lab = threePorts()
  expect(lab.port('d', 'br', vlan({}), { ofport: 9 }).ofport).toBe(9)
  lab.deletePort('b')
  expect(lab.port('e', 'br').ofport).toBe(2)
  expect(lab.port('f', 'br').ofport).toBe(4)
  expect(lab.port('f', 'br', vlan({}), { ofport: 12 }).ofport).toBe(12)
  expect(lab.commands.ports().map((p) => `${p.name} ${p.ofport}`)).toContain('d 9')
})

test('a deleted port is closed, forgotten and no longer sent to', () => {
  const lab = threePorts()
  const device = lab.device('b')
  lab.ports('a', makeFrame({ dst: B, src: A }))
  lab.deletePort('b')
  expect(device.state).toBe('gone')
  expect(stations(lab)).toEqual(['10 a', '12 c'])
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['c'])
  // Its number is given to another, which inherits nothing.
  lab.port('n', 'br', vlan({ mode: 'access', tag: 9 }))
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['c'])
})

test('a deleted bridge takes its ports along, and one of its name knows nothing', () => {
  const lab = threePorts()
  lab.commands.bridgeDelete('br')
  expect(lab.commands.ports()).toEqual([])
  expect(lab.device('a').state).toBe('gone')
  lab.bridge('br')
  expect(lab.commands.fdb('br', 0).rows).toEqual([])
})

test('flushing forgets what was learned', () => {
  const lab = threePorts()
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b'])
  lab.commands.fdbFlush('br')
  expect(stations(lab)).toEqual([])
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b', 'c'])
})

test('long tables come in pages', () => {
  const lab = new SwitchLab({ flowLimit: 4096 })
  lab.bridge('br', { macTableSize: 5000 })
  lab.port('a', 'br')
  lab.port('b', 'br')
  for (let i = 0; i < 2500; i++) lab.send('a', toAll(A + i))
  const macs: number[] = []
  const sizes: number[] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: ReturnType<typeof lab.commands.fdb> = lab.commands.fdb('br', from)
    macs.push(...page.rows.map((r) => r.mac))
    sizes.push(page.rows.length)
    from = page.next
  }
  expect(sizes).toEqual([1000, 1000, 500])
  expect(new Set(macs).size).toBe(2500)
  let flows = 0
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: ReturnType<typeof lab.commands.megaflows> = lab.commands.megaflows(from)
    flows += page.rows.length
    from = page.next
  }
  // Tags are hashes: a new station may drop the flow of another.
  expect(flows).toBe(lab.commands.stats().flows)
  expect(flows).toBeGreaterThan(2000)
})

test('flows are told with what they match, and what they do by number or name', () => {
  const lab = new SwitchLab()
  lab.bridge('br')
  lab.port('a', 'br', vlan({ mode: 'access', tag: 10 }))
  lab.port('b', 'br')
  const frame = makeFrame({ dst: B, src: A, type: 0x0806 })
  lab.send('a', frame, frame)
  lab.now = 2000
  const [row] = lab.commands.megaflows(0, true).rows
  const text = formatOdpKey(row!.key, row!.mask, { verbose: false, portName: String })
  expect(text).toMatch(
    /^recirc_id\(0\),in_port\(\d+\),packet_type\(ns=0,id=0\),eth\(src=02:00:00:00:00:0a,dst=02:00:00:00:00:0b\)/,
  )
  // The packet that made the flow is not counted, as in Open vSwitch.
  expect(row).toMatchObject({ actions: 'push_vlan(vid=10,pcp=0),b', packets: 1, bytes: 18, used: 0 })
  expect(lab.commands.megaflows(0).rows[0]!.actions).toMatch(/^push_vlan\(vid=10,pcp=0\),\d+$/)
  lab.commands.megaflowsFlush()
  expect(lab.commands.megaflows(0).rows).toEqual([])
})

test('statistics tell lookups, drops by name and cells', () => {
  const lab = threePorts()
  lab.send('a', toAll(A), toAll(A), makeFrame({ dst: A, src: A }))
  const stats = lab.commands.stats()
  expect(stats).toMatchObject({ emcHits: 2, upcalls: 4, flows: 4, masks: 1, connections: 0 })
  expect(stats.drops).toEqual({ 'bridge-input-is-output': 1 })
  expect(stats.cellsFree).toBe(stats.cells)
})

test('a device that comes and goes is reported, and frames for it are counted', () => {
  const lab = threePorts()
  const events: DpifEvent[] = []
  lab.local.onEvent((event) => events.push(event))
  const { portNo } = lab.commands.ports()[1]
  lab.device('b').state = 'gone'
  lab.commands.linkChanged(portNo)
  expect(events).toEqual([{ type: 'link', port: 'b', state: 'gone' }])
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual([])
  expect(lab.commands.stats().drops).toEqual({ 'port-down': 1 })
  expect(lab.commands.ports()[1].link).toBe('gone')
  // Put again, the port gets a new device and keeps its numbers.
  const fresh = lab.local.device({ name: 'b' })
  expect(lab.port('b', 'br')).toEqual({ ofport: 2, portNo })
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual([])
  expect(fresh.takeAllSent()).toHaveLength(1)
})

test('frames are sent out of a port by command', () => {
  const lab = threePorts()
  lab.commands.portOutput('b', toAll(A))
  expect(lab.device('b').stats[4]).toBeGreaterThan(0)
  expect(lab.commands.stats().cellsFree).toBe(lab.commands.stats().cells)
})

test('behind the door commands are promises of copies, and closing closes every device', async () => {
  const local = new LocalDatapath({ random: seededRandom(1), now: 5 })
  const device = local.device({ name: 'a' })
  const spec = bridgeSpec('br')
  await local.dpif.bridgePut(spec)
  const put = { name: 'a', bridge: 'br', vlan: vlan({}), kind: { type: 'memory', key: 'a' } } as const
  expect(await local.dpif.portPut(put)).toEqual({ ofport: 1, portNo: 1 })
  expect(local.datapath.topology.bridges.get('br')?.spec).not.toBe(spec)
  await expect(local.dpif.fdb('none', 0)).rejects.toMatchObject({ name: 'DpifError', code: 'ENOENT' })
  await local.dpif.close()
  expect(device.state).toBe('gone')
  await local.dpif.close()
})

test('ports get the lowest number that is free, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 40 }), (names) => {
      const lab = new SwitchLab()
      lab.bridge('br0')
      const numbers = new Map<number, number>()
      for (const name of names) {
        if (numbers.delete(name)) {
          lab.commands.portDelete(`p${name}`)
          continue
        }
        const taken = new Set(numbers.values())
        let free = 1
        while (taken.has(free)) free++
        // One in three asks for a number of its own.
        const wanted = name % 3 === 0 && !taken.has(name + 1) ? name + 1 : undefined
        lab.port(`p${name}`, 'br0', undefined, wanted === undefined ? {} : { ofport: wanted })
        numbers.set(name, wanted ?? free)
      }
      const rows = lab.commands.ports().map((port) => [port.name, port.ofport])
      expect(Object.fromEntries(rows)).toEqual(
        Object.fromEntries([...numbers].map(([name, ofport]) => [`p${name}`, ofport])),
      )
    }),
    { numRuns: 50 },
  )
})
