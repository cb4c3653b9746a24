import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../protocols/random.ts'
import * as pcapng from '../../../protocols/wire/pcapng.ts'
import { readPcapng } from '../../../protocols/wire/pcapng-reader.ts'
import { ARP_REQUEST, hex, PING_REQUEST, TAGGED_PING, TCP_SYN } from './captured-frames.ts'

/** 2026-01-02 03:04:05.678 UTC. */
const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

function record(use: (w: pcapng.PcapngWriter) => void, snaplen = pcapng.SNAPLEN_MAX): Buffer {
  const blocks: Uint8Array[] = []
  use(new pcapng.PcapngWriter((block) => blocks.push(block), { application: 'vswitchd-ts', snaplen }))
  return Buffer.concat(blocks)
}

function tcpdump(file: Buffer, ...options: string[]): string[] {
  const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore']
  const env = { ...process.env, TZ: 'UTC' }
  const out = execFileSync('tcpdump', ['-n', '-r', '-', ...options], { input: file, stdio, env })
  return out.toString().trimEnd().split('\n')
}

const SNAPLEN = 80

const sample = (): Buffer =>
  record((w) => {
    const vm1 = w.addInterface({ name: 'vm1', description: 'host vm1, eth0' })
    w.packet(vm1, TIME, ARP_REQUEST, 0, ARP_REQUEST.length, pcapng.INBOUND)
    const up = w.addInterface({ name: 'uplink', resolution: 9 })
    w.packet(up, TIME + 0.25, PING_REQUEST, 0, PING_REQUEST.length, pcapng.OUTBOUND, 'dropped: no route')
    w.packet(vm1, TIME + 1000, TAGGED_PING, 0, TAGGED_PING.length, pcapng.UNKNOWN)
    w.packet(vm1, TIME + 2000, TCP_SYN, 0, TCP_SYN.length, pcapng.INBOUND)
  }, SNAPLEN)

describe('tcpdump reads it', () => {
  test('frames, times to the microsecond, and lengths', () => {
    expect(tcpdump(sample(), '-tttt', '-e')).toEqual([
      expect.stringMatching(
        /^2026-01-02 03:04:05\.678000 .*02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP .* who-has 10\.0\.0\.254 tell 10\.0\.0\.1/i,
      ),
      expect.stringMatching(
        /^2026-01-02 03:04:05\.678250 .*length 98: 10\.0\.0\.1 > 10\.0\.1\.2: ICMP echo request, id 38, seq 1, length 64/,
      ),
      expect.stringMatching(/^2026-01-02 03:04:06\.678000 .*vlan 10, p 5, .*ICMP echo request, id 38/),
      expect.stringMatching(
        /^2026-01-02 03:04:07\.678000 .*10\.0\.0\.1\.39502 > 10\.0\.1\.2\.80: Flags \[S\]/,
      ),
    ])
  })

  test('nanoseconds', () => {
    const file = record((w) => {
      const i = w.addInterface({ name: 'p1', resolution: 9 })
      // A quarter of a millisecond and less can be held exactly.
      w.packet(i, TIME + 0.25 + 2 ** -10, ARP_REQUEST, 0, ARP_REQUEST.length, pcapng.INBOUND)
    })
    const [line] = tcpdump(file, '-tttt', '--time-stamp-precision=nano')
    expect(line).toMatch(/^2026-01-02 03:04:05\.678250977 /)
  })

  test('snaplen cuts the frame', () => {
    const [, ping] = tcpdump(sample(), '-xx', '-t', 'icmp').join('\n').split('0x0040:')
    expect(ping.replace(/\s/g, '')).toBe(Buffer.from(PING_REQUEST.subarray(64, SNAPLEN)).toString('hex'))
  })
})

describe('our reader reads it', () => {
  test('interfaces, directions and comments', () => {
    const c = readPcapng(sample())
    expect(c.complete).toBe(true)
    expect(c.interfaces).toEqual([
      { name: 'vm1', linkType: 1, snaplen: SNAPLEN, unitsPerSecond: 1e6 },
      { name: 'uplink', linkType: 1, snaplen: SNAPLEN, unitsPerSecond: 1e9 },
    ])
    expect(
      c.packets.map((p) => [p.interfaceId, p.time, p.frame.length, p.originalLength, p.direction]),
    ).toEqual([
      [0, TIME, ARP_REQUEST.length, ARP_REQUEST.length, pcapng.INBOUND],
      [1, TIME + 0.25, SNAPLEN, 98, pcapng.OUTBOUND],
      [0, TIME + 1000, SNAPLEN, TAGGED_PING.length, pcapng.UNKNOWN],
      [0, TIME + 2000, TCP_SYN.length, TCP_SYN.length, pcapng.INBOUND],
    ])
    expect(c.packets.map((p) => p.comment)).toEqual([undefined, 'dropped: no route', undefined, undefined])
  })

  test('whatever was written', () => {
    const packet = fc.record({
      frame: fc.uint8Array({ maxLength: 70 }),
      microseconds: fc.nat(2 ** 51),
      direction: fc.constantFrom<pcapng.Direction>(pcapng.UNKNOWN, pcapng.INBOUND, pcapng.OUTBOUND),
      comment: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(packet, { maxLength: 8 }), (name, packets) => {
        const file = record((w) => {
          const i = w.addInterface({ name })
          for (const p of packets) {
            w.packet(i, p.microseconds / 1000, p.frame, 0, p.frame.length, p.direction, p.comment)
          }
        })
        const c = readPcapng(file)
        expect(c.complete).toBe(true)
        expect(c.interfaces[0].name).toBe(name)
        expect(
          c.packets.map((p) => ({
            frame: Uint8Array.from(p.frame),
            microseconds: Math.round(p.time * 1000),
            direction: p.direction,
            comment: p.comment,
          })),
        ).toEqual(packets)
      }),
    )
  })

  test('a frame inside of a larger buffer', () => {
    const b = new Uint8Array(200).fill(0xee)
    b.set(ARP_REQUEST, 77)
    const file = record((w) => {
      const i = w.addInterface({ name: 'p' })
      w.packet(i, 0, b, 77, ARP_REQUEST.length, 0)
    })
    expect(Uint8Array.from(readPcapng(file).packets[0].frame)).toEqual(ARP_REQUEST)
  })

  test('a comment that is too long for an option is cut', () => {
    const file = record((w) => {
      w.packet(w.addInterface({ name: 'p' }), 0, ARP_REQUEST, 0, 42, 0, 'x'.repeat(70_000))
    })
    const c = readPcapng(file)
    expect(c.complete).toBe(true)
    expect(c.packets[0].comment).toHaveLength(65_535)
  })
})

test('big-endian sections, simple packets and unknown blocks', () => {
  const c = readPcapng(
    hex(`
      0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
      00000001 00000020 0001 0000 00000003 0009 0001 83 000000 0000 0000 00000020
      00000bad 00000010 deadbeef 00000010
      00000003 00000014 00000005 a1a2a3 00 00000014
      00000006 00000024 00000000 00000001 00000008 00000003 00000003 b1b2b3 00 00000024
    `),
  )
  expect(c.complete).toBe(true)
  expect(c.interfaces).toEqual([{ name: '', linkType: 1, snaplen: 3, unitsPerSecond: 8 }])
  expect(c.packets.map((p) => [p.time, Buffer.from(p.frame).toString('hex'), p.originalLength])).toEqual([
    [0, 'a1a2a3', 5],
    [(2 ** 32 + 8) * 125, 'b1b2b3', 3],
  ])
})

test('interfaces of a second section are numbered on', () => {
  const two = readPcapng(Buffer.concat([sample(), sample()]))
  expect(two.complete).toBe(true)
  expect(two.packets.map((p) => p.interfaceId)).toEqual([0, 1, 0, 0, 2, 3, 2, 2])
})

test('a file cut anywhere yields the whole packets before', () => {
  const file = sample()
  const counts = new Set<number>()
  const boundaries = new Set<number>()
  for (let end = 0; end < file.length; end++) {
    const c = readPcapng(file.subarray(0, end))
    counts.add(c.packets.length)
    if (c.complete) boundaries.add(end)
    for (const p of c.packets) expect(p.frame.length).toBeGreaterThan(0)
  }
  expect([...counts]).toEqual([0, 1, 2, 3])
  // Complete only between blocks: section, interface, packet, interface, packet, packet.
  expect(boundaries.size).toBe(6)
})

test('damaged and random files never throw, and never yield bytes from outside', () => {
  const random = seededRandom(0xcafe)
  const file = sample()
  let survived = 0
  for (let i = 0; i < 50_000; i++) {
    const b = Uint8Array.from(file)
    for (let n = 1 + (random() % 4); n > 0; n--) {
      b[random() % b.length] = random() & 1 ? random() : [0, 1, 4, 0xff][random() & 3]
    }
    const c = readPcapng(b.subarray(0, random() & 3 ? b.length : random() % b.length))
    if (c.packets.length > 0) survived++
    if (c.packets.length > 4) expect.fail(Buffer.from(b).toString('hex'))
    for (const p of c.packets) if (!Number.isFinite(p.time)) expect.fail(Buffer.from(b).toString('hex'))
  }
  expect(survived).toBeGreaterThan(10_000)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(readPcapng(bytes).packets).toEqual([])
    }),
  )
})
