/** Flows as text, as frames and back. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { extract } from '../../../engine/flow/extract.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'
import { KEY_WORDS, W_L4, W_PACKET_TYPE } from '../../../protocols/flow-key.ts'
import { composeFrame } from '../../../protocols/odp/compose.ts'
import { formatOdpKey } from '../../../protocols/odp/key-format.ts'
import { parseOdpKey } from '../../../protocols/odp/key-parse.ts'
import { FlowSyntaxError } from '../../../protocols/openflow/text/scan.ts'

const pool = new PacketPool(1)
const PORT = 7

function keyOf(frame: Uint8Array): Uint32Array {
  const h = pool.fromBytes(frame)
  const key = new Uint32Array(KEY_WORDS)
  expect(extract(pool, h, PORT, key, 0)).toBeGreaterThan(0)
  pool.free(h)
  // The identifier of ICMP queries is ours alone.
  if ((key[W_L4]! & 0xffff) !== 0) key[W_L4]! &= 0xffff_0000
  return key
}

const mac = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
  .map((b) => b.map((x) => x.toString(16).padStart(2, '0')).join(':'))
const ip = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }).map((b) => b.join('.'))
const ip6 = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((w) => w.map((x) => x.toString(16)).join(':'))
const n = (max: number) => fc.integer({ min: 0, max })
const frag = fc.constantFrom('no', 'first', 'later')

const transport = (proto: number, type: 4 | 6) => {
  const name = { 6: 'tcp', 17: 'udp', 132: 'sctp' }[proto]
  if (name !== undefined) return fc.tuple(n(0xffff), n(0xffff)).map(([a, b]) => `,${name}(src=${a},dst=${b})`)
  if (proto === 1 && type === 4) return fc.tuple(n(255), n(255)).map(([a, b]) => `,icmp(type=${a},code=${b})`)
  if (proto === 58 && type === 6)
    return fc.tuple(n(130), n(255)).map(([a, b]) => `,icmpv6(type=${a},code=${b})`)
  return fc.constant('')
}

const datagram = fc.constantFrom(6, 17, 132, 1, 47).chain((proto) => {
  const v4 = fc
    .tuple(ip, ip, n(255), n(255), frag, transport(proto, 4))
    .map(
      ([src, dst, tos, ttl, f, l4]) =>
        `eth_type(0x0800),ipv4(src=${src},dst=${dst},proto=${proto},tos=${tos},ttl=${ttl},frag=${f})${f === 'later' ? '' : l4}`,
    )
  const six = proto === 1 ? 58 : proto
  const v6 = fc
    .tuple(ip6, ip6, n(0xfffff), n(255), n(255), transport(six, 6))
    .map(
      ([src, dst, label, tclass, hlimit, l4]) =>
        `eth_type(0x86dd),ipv6(src=${src},dst=${dst},label=${label},proto=${six},tclass=${tclass},hlimit=${hlimit},frag=no)${l4}`,
    )
  return fc.oneof(v4, v6)
})
const arp = fc
  .tuple(ip, ip, n(255), mac, mac)
  .map(
    ([sip, tip, op, sha, tha]) =>
      `eth_type(0x0806),arp(sip=${sip},tip=${tip},op=${op},sha=${sha},tha=${tha})`,
  )
const label = fc
  .tuple(n(0xfffff), n(7), n(255))
  .map(([l, tc, ttl]) => `eth_type(0x8847),mpls(label=${l},tc=${tc},ttl=${ttl},bos=1)`)
const network = fc.oneof(datagram, arp, label, fc.constant('eth_type(0x1234)'))

const flow = fc.tuple(mac, mac, fc.option(fc.tuple(n(4095), n(7))), network).map(([src, dst, vlan, rest]) => {
  const head = `in_port(${PORT}),eth(src=${src},dst=${dst})`
  if (vlan === null) return `${head},${rest}`
  return `${head},eth_type(0x8100),vlan(vid=${vlan[0]},pcp=${vlan[1]}),encap(${rest})`
})

test('a frame made of a flow has the flow for its key', () => {
  fc.assert(
    fc.property(flow, (text) => {
      const words = parseOdpKey(text)
      expect([...keyOf(composeFrame(words))]).toEqual([...words.subarray(0, KEY_WORDS)])
    }),
    { numRuns: 500 },
  )
})

test('a key that is written and read is the same key', () => {
  const whole = new Uint32Array(KEY_WORDS).fill(0xffff_ffff)
  fc.assert(
    fc.property(flow, (text) => {
      const key = keyOf(composeFrame(parseOdpKey(text)))
      const again = parseOdpKey(formatOdpKey(key, whole, { verbose: false, portName: String }))
      expect(again[W_PACKET_TYPE]).toBe(0)
      expect([...again.subarray(0, KEY_WORDS)]).toEqual([...key])
    }),
    { numRuns: 500 },
  )
})

test('a frame is as long as was asked, at least', () => {
  fc.assert(
    fc.property(flow, n(1500), (text, length) => {
      const words = parseOdpKey(text)
      const frame = composeFrame(words, length)
      expect(frame.length).toBeGreaterThanOrEqual(length)
      expect([...keyOf(frame)]).toEqual([...words.subarray(0, KEY_WORDS)])
    }),
  )
})

test('nonsense is refused with its place, and nothing else is thrown', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        flow.chain((text) => n(text.length).map((at) => text.slice(0, at))),
      ),
      (text) => {
        try {
          parseOdpKey(text)
        } catch (error) {
          expect(error).toBeInstanceOf(FlowSyntaxError)
          expect((error as Error).message).toMatch(/^syntax error at /)
        }
      },
    ),
  )
})
