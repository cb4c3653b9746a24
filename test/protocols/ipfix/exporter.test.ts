/** Exporters seen by a collector that knows only RFC 7011. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  KEY_WORDS,
  VLAN_PRESENT,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../../protocols/flow-key.ts'
import { Exporter, type ExporterSettings } from '../../../protocols/ipfix/exporter.ts'
import { MAX_NAME, type Sample } from '../../../protocols/ipfix/sample.ts'
import { IpfixCollector } from '../../support/ipfix-collector.ts'

const SETTINGS: ExporterSettings = { cacheActiveTimeout: 60_000, cacheMaxFlows: 100 }

class Lab {
  readonly collector = new IpfixCollector()
  readonly exporter: Exporter
  errors = 0
  now = 1_700_000_000_250

  constructor(settings: Partial<ExporterSettings> = {}) {
    const lab = this
    this.exporter = new Exporter(
      3,
      { ...SETTINGS, ...settings },
      {
        send: (message) => lab.collector.receive(message),
        get errors() {
          return lab.errors
        },
      },
    )
  }

  sample(change: Partial<Sample> = {}): void {
    this.exporter.sample(this.now, udp(change))
  }

  pass(seconds: number): void {
    this.now += seconds * 1000
    this.exporter.poll(this.now)
  }
}

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

function udp(change: Partial<Sample> = {}, port = 53): Sample {
  const key = new Uint32Array(KEY_WORDS)
  key[W_DL_DST] = 0x0200_0000
  key[W_DL_MIX] = 0x0002_0200
  key[W_DL_SRC] = 0x0000_0001
  key[W_TYPE] = 0x0800_0000
  key[W_NW_SRC] = 0x0a00_0001
  key[W_NW_DST] = 0x0a00_0002
  key[W_NW] = 0x11b8_4000
  key[W_TP] = (1024 << 16) | port
  return {
    key,
    length: 114,
    packets: 1,
    obsDomainId: 5,
    obsPointId: 6,
    egress: false,
    input: { index: 9, name: bytes('p1') },
    output: undefined,
    dropped: false,
    ...change,
  }
}

/** Values of a record as numbers, by the number of the element. */
const numbers = (values: Readonly<Record<string, string>>, ids: readonly number[]): number[] =>
  ids.map((id) => Number.parseInt(values[id]!, 16))

const START = 158
const END = 159
const PACKETS = 2
const OCTETS = 1
const REASON = 136

test('packets of a flow are counted together until the active timeout', () => {
  const lab = new Lab()
  lab.sample()
  lab.pass(20)
  lab.sample({ length: 214, packets: 3 })
  lab.pass(39)
  expect(lab.collector.records).toEqual([])
  expect(lab.exporter.pollAt()).toBe(lab.now + 1000)
  lab.pass(1)
  const [record, ...more] = lab.collector.flows()
  expect(more).toEqual([])
  expect(record!.domain).toBe(5)
  // Frames without their 14 bytes of Ethernet.
  const expected = [4, 100 + 3 * 200, 2, 100, 200, 6, 9]
  expect(numbers(record!.values, [PACKETS, OCTETS, REASON, 25, 26, 138, 10])).toEqual(expected)
  expect(record!.values[82]).toBe(Buffer.from('p1').toString('hex'))
  // In microseconds before the message's time, which is a whole second.
  expect(record!.exportTime * 1000).toBe(lab.now + 750)
  expect(numbers(record!.values, [START, END])).toEqual([60_750_000, 40_750_000])
  expect(lab.exporter.pollAt()).toBeUndefined()
})

test('without a cache each packet is a record', () => {
  const lab = new Lab({ cacheActiveTimeout: 0, cacheMaxFlows: 0 })
  lab.sample()
  lab.sample()
  expect(lab.collector.flows().map((r) => r.sequence)).toEqual([0, 1])
  expect(lab.exporter.stats).toMatchObject({ totalFlows: 2, currentFlows: 0, packets: 2, ipv4Packets: 2 })
})

test('a cache that is full gives up its oldest flow', () => {
  const lab = new Lab({ cacheMaxFlows: 2 })
  for (const port of [1, 2, 1, 3]) lab.exporter.sample(lab.now, udp({}, port))
  const [record, ...more] = lab.collector.flows()
  expect(more).toEqual([])
  expect(numbers(record!.values, [11, PACKETS, REASON])).toEqual([1, 2, 5])
  expect(lab.exporter.stats.currentFlows).toBe(2)
  lab.exporter.configure(lab.now, { ...SETTINGS, cacheMaxFlows: 1 })
  expect(lab.exporter.stats.currentFlows).toBe(1)
  lab.exporter.end(lab.now)
  expect(lab.collector.flows().map((r) => Number.parseInt(r.values[REASON]!, 16))).toEqual([5, 5, 4])
})

test('templates come before records, again after ten minutes, and for collectors that are new', () => {
  const lab = new Lab({ cacheActiveTimeout: 0 })
  const told = (): number => {
    const before = lab.collector.templateMessages
    lab.sample()
    lab.pass(0)
    return lab.collector.templateMessages - before
  }
  const all = told()
  expect(all).toBeGreaterThan(5)
  expect(told()).toBe(0)
  lab.pass(599)
  expect(told()).toBe(0)
  lab.pass(1)
  expect(told()).toBe(all)
  lab.exporter.tellAgain()
  expect(told()).toBe(all)
  // What another domain's records mean is said in that domain.
  lab.sample({ obsDomainId: 8 })
  lab.pass(0)
  expect(lab.collector.templates.has('8 284')).toBe(true)
  expect(lab.collector.gaps).toBe(0)
})

test('with the templates it says what it could not send', () => {
  const lab = new Lab({ cacheActiveTimeout: 0 })
  lab.errors = 7
  lab.sample()
  lab.pass(0)
  const [about] = lab.collector.records.filter((r) => r.domain === 0)
  expect(numbers(about!.values, [144, 167])).toEqual([3, 7])
  expect(lab.collector.templates.get(`0 ${about!.template}`)!.scope).toBe(1)
})

test('a virtual observation id stands in every record, and in the templates as soon as there is one', () => {
  const lab = new Lab({ cacheActiveTimeout: 0 })
  lab.sample()
  lab.pass(0)
  expect(lab.collector.flows()[0]!.values['6876/898']).toBeUndefined()
  lab.exporter.configure(lab.now, { ...SETTINGS, cacheActiveTimeout: 0, virtualObsId: bytes('lab') })
  lab.sample()
  lab.pass(0)
  expect(lab.collector.flows()[1]!.values['6876/898']).toBe(Buffer.from('lab').toString('hex'))
})

test('observation domains without number are not remembered without end', () => {
  let templates = 0
  const send = (message: Uint8Array): void => {
    // The first set's number.
    if (message[16] === 0 && message[17] === 2) templates++
  }
  const exporter = new Exporter(1, { cacheActiveTimeout: 0, cacheMaxFlows: 0 }, { send, errors: 0 })
  const told = (obsDomainId: number): number => {
    const before = templates
    exporter.sample(1000, udp({ obsDomainId }))
    return templates - before
  }
  const all = told(1)
  expect(told(1)).toBe(0)
  for (let domain = 2; domain <= 1030; domain++) told(domain)
  expect(told(1)).toBe(all)
})

const word = fc.integer({ min: 0, max: 0xffff_ffff })
const port = fc.option(
  fc.record({ index: word, name: fc.uint8Array({ minLength: 0, maxLength: MAX_NAME }) }),
  { nil: undefined },
)
/** Headers of every kind; which of the words mean something follows from W_TYPE and W_NW. */
const arbitrarySample: fc.Arbitrary<Sample> = fc
  .record({
    words: fc.array(word, { minLength: KEY_WORDS, maxLength: KEY_WORDS }),
    type: fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x88cc),
    protocol: fc.constantFrom(1, 6, 17, 58, 132, 47),
    tagged: fc.boolean(),
    group: fc.constantFrom('unicast', 'multicast', 'broadcast'),
    length: fc.integer({ min: 18, max: 65_000 }),
    packets: fc.integer({ min: 1, max: 65_535 }),
    obsDomainId: fc.constantFrom(1, 2),
    obsPointId: word,
    egress: fc.boolean(),
    input: port,
    output: port,
    dropped: fc.boolean(),
  })
  .map(({ words, type, protocol, tagged, group, ...rest }) => {
    const key = Uint32Array.from(words)
    key[W_TYPE] = type << 16
    key[W_NW] = ((protocol << 24) | (key[W_NW]! & 0xff_ffff)) >>> 0
    key[W_VLAN] = tagged ? (key[W_VLAN]! | (VLAN_PRESENT << 16)) >>> 0 : 0
    if (group === 'broadcast') key.set([0xffff_ffff, key[W_DL_MIX]! | 0xffff_0000], W_DL_DST)
    else key[W_DL_DST] = group === 'multicast' ? key[W_DL_DST]! | 0x0100_0000 : key[W_DL_DST]! & ~0x0100_0000
    return { key, ...rest }
  })

const hex = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, '0')

/** What a collector must read of a flow of one packet, from the standard's names of the elements. */
function expected(s: Sample): Record<string, string> {
  const { key } = s
  const type = key[W_TYPE]! >>> 16
  const mac = (high: number, low: number, n: number) => hex(BigInt(high) * 2n ** BigInt(n) + BigInt(low), 12)
  const values: Record<string, string> = {
    138: hex(s.obsPointId, 8),
    61: s.egress ? '01' : '00',
    80: mac(key[W_DL_DST]!, key[W_DL_MIX]! >>> 16, 16),
    56: mac(key[W_DL_MIX]! & 0xffff, key[W_DL_SRC]!, 32),
    256: hex(type, 4),
    10: hex(s.input?.index ?? 0, 8),
    82: Buffer.from(s.input?.name ?? []).toString('hex'),
    2: hex(s.packets, 16),
    352: hex(s.packets * s.length, 16),
    133: hex(s.dropped ? s.packets : 0, 16),
  }
  if (s.egress) {
    values[14] = hex(s.output?.index ?? 0, 8)
    values['82+'] = Buffer.from(s.output?.name ?? []).toString('hex')
  }
  const tci = key[W_VLAN]! >>> 16
  if (tci !== 0) Object.assign(values, { 243: hex(tci & 0xfff, 4), 244: hex(tci >>> 13, 2) })
  if (type !== 0x0800 && type !== 0x86dd) return values
  const protocol = key[W_NW]! >>> 24
  values[4] = hex(protocol, 2)
  values[5] = hex((key[W_NW]! >>> 16) & 0xff, 2)
  values[192] = hex((key[W_NW]! >>> 8) & 0xff, 2)
  values[1] = hex(s.packets * (s.length - (tci === 0 ? 14 : 18)), 16)
  const four = (w: number) => [0, 1, 2, 3].map((i) => hex(key[w + i]!, 8)).join('')
  if (type === 0x0800) Object.assign(values, { 8: hex(key[W_NW_SRC]!, 8), 12: hex(key[W_NW_DST]!, 8) })
  else Object.assign(values, { 27: four(W_IPV6_SRC), 28: four(W_IPV6_DST), 31: hex(key[W_IPV6_LABEL]!, 8) })
  if ([6, 17, 132].includes(protocol)) {
    Object.assign(values, { 7: hex(key[W_TP]! >>> 16, 4), 11: hex(key[W_TP]! & 0xffff, 4) })
  }
  const [icmp, first] = type === 0x0800 ? [1, 176] : [58, 178]
  if (protocol === icmp) {
    Object.assign(values, {
      [first]: hex((key[W_TP]! >>> 16) & 0xff, 2),
      [first + 1]: hex(key[W_TP]! & 0xff, 2),
    })
  }
  if (protocol === 6) values[218] = hex((key[W_L4]! & 0x2_0000) === 0 ? 0 : s.packets, 16)
  return values
}

test('whatever is sampled, a collector reads it', () => {
  fc.assert(
    fc.property(arbitrarySample, (s) => {
      const lab = new Lab()
      lab.exporter.sample(lab.now, s)
      lab.exporter.end(lab.now)
      const [record] = lab.collector.flows()
      expect(record!.domain).toBe(s.obsDomainId)
      expect(record!.values).toMatchObject(expected(s))
    }),
  )
})

test('nothing is counted twice or lost, however small the cache', () => {
  const samples = fc.array(fc.tuple(arbitrarySample, fc.nat(3), fc.nat(20)), { maxLength: 60 })
  fc.assert(
    fc.property(samples, fc.nat(4), fc.nat(30), (list, cacheMaxFlows, seconds) => {
      const lab = new Lab({ cacheMaxFlows, cacheActiveTimeout: seconds * 1000 })
      let [packets, octets] = [0, 0]
      for (const [s, repeats, wait] of list) {
        for (let i = 0; i <= repeats; i++) lab.exporter.sample(lab.now, s)
        packets += s.packets * (repeats + 1)
        octets += s.packets * s.length * (repeats + 1)
        expect(lab.exporter.stats.currentFlows).toBeLessThanOrEqual(cacheMaxFlows)
        lab.pass(wait)
      }
      lab.exporter.end(lab.now)
      const sum = (id: number) =>
        lab.collector.flows().reduce((all, { values }) => all + Number.parseInt(values[id]!, 16), 0)
      expect(sum(PACKETS)).toBe(packets)
      expect(sum(352)).toBe(octets)
      expect(lab.collector.gaps).toBe(0)
      const { totalFlows, currentFlows } = lab.exporter.stats
      expect([totalFlows, currentFlows]).toEqual([lab.collector.flows().length, 0])
    }),
  )
})
