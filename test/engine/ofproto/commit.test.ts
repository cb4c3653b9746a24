import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ExecutionHost, execute } from '../../../engine/actions/execute.ts'
import { LocalDatapath } from '../../../engine/dpif-local.ts'
import { extract } from '../../../engine/flow/extract.ts'
import { setDlDst, setTpDst } from '../../../engine/flow/fields.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'
import { depthOf, pushTag, tagsOfKey, type VlanStack } from '../../../engine/ofproto/vlan-stack.ts'
import { Xlate } from '../../../engine/ofproto/xlate.ts'
import { KEY_WORDS, W_NW_SRC, W_VLAN } from '../../../protocols/flow-key.ts'
import { fromHex, hex, makeFrame, splitTags, type Tag, withTags } from '../../support/frames.ts'

const pool = new PacketPool(2)
const x = new Xlate(new LocalDatapath({ random: () => 1 }).datapath.topology, { input: () => {} })

/** Translates by hand, runs the program, and answers the frames that left by the ports named. */
function translate(frame: Uint8Array, write: () => void): string[] {
  const out: string[] = []
  const host: ExecutionHost = {
    pool,
    output: (portNo, h) => out.push(`${portNo} ${hex(pool.bytes(h))}`),
    enqueue: () => {},
    drop: () => {},
    slow: () => {},
    track: () => true,
    meter: () => true,
    controller: () => {},
    recirculate: () => {},
    trackInZone: () => true,
    ctOperations: { retrack: () => {}, help: () => true, quoted: () => {}, collect: () => {} },
    sample: () => {},
  }
  const h = pool.fromBytes(frame)
  const key = new Uint32Array(KEY_WORDS)
  x.begin(key, extract(pool, h, 1, key, 0), h, 0)
  write()
  x.end()
  execute(host, x.program.code, 0, h)
  pool.free(h)
  return out
}

const tagArb: fc.Arbitrary<Tag> = fc.record({
  tpid: fc.constantFrom(0x8100, 0x88a8),
  pcp: fc.constantFrom(0, 5),
  vid: fc.constantFrom(0, 1, 2),
})

type Change = { kind: 'pop' } | { kind: 'push' | 'set'; tag: Tag } | { kind: 'output' }
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant({ kind: 'pop' } as const),
  fc.constant({ kind: 'output' } as const),
  fc.record({ kind: fc.constantFrom('push' as const, 'set' as const), tag: tagArb }),
)

test('whatever is pushed, popped and rewritten between outputs, each frame leaves with the tags it should have', () => {
  // Tags of few kinds, so that equal ones lie on one another; a third tag on arrival is payload.
  fc.assert(
    fc.property(fc.array(tagArb, { maxLength: 3 }), fc.array(change, { maxLength: 12 }), (tags, changes) => {
      const frame = makeFrame({ dst: 2, src: 1, tags })
      const hidden = tags.slice(2)
      let want = tags.slice(0, 2)
      const expected: string[] = []
      const out = translate(frame, () => {
        for (const c of [...changes, { kind: 'output' as const }]) {
          if (c.kind === 'output') {
            x.output(7)
            expected.push(`7 ${hex(withTags(frame, [...want, ...hidden]))}`)
          } else if (c.kind === 'push') {
            x.setVlans(pushTag(x.vlans, c.tag.tpid, c.tag.pcp * 0x2000 + c.tag.vid))
            want = [c.tag, ...want]
          } else if (x.vlans !== undefined) {
            const rest = x.vlans.inner
            x.setVlans(c.kind === 'pop' ? rest : pushTag(rest, c.tag.tpid, c.tag.pcp * 0x2000 + c.tag.vid))
            want = c.kind === 'pop' ? want.slice(1) : [c.tag, ...want.slice(1)]
          }
          const shown = x.flow[W_VLAN]
          expect([shown >>> 16 !== 0, (shown & 0xffff) !== 0]).toEqual([want.length > 0, want.length > 1])
        }
      })
      expect(out).toEqual(expected)
    }),
    { numRuns: 3000 },
  )
})

test('a frame whose tags do not change costs no operation', () => {
  translate(makeFrame({ dst: 2, src: 1, tags: [{ tpid: 0x88a8, pcp: 3, vid: 9 }] }), () => {
    const copy = (s: VlanStack): VlanStack => (s === undefined ? s : pushTag(copy(s.inner), s.tpid, s.tci))
    x.setVlans(copy(x.vlans))
    x.output(1)
    expect(x.program.length).toBe(2)
  })
})

test('one tag for another of its kind is rewritten in place, not popped and pushed', () => {
  translate(makeFrame({ dst: 2, src: 1, tags: [{ tpid: 0x8100, pcp: 0, vid: 9 }] }), () => {
    x.setVlans(pushTag(undefined, 0x8100, 10))
    x.output(1)
    expect(x.program.length).toBe(4)
  })
})

test('a key and its tags tell the same', () => {
  fc.assert(
    fc.property(fc.array(tagArb, { maxLength: 2 }), (tags) => {
      const h = pool.fromBytes(makeFrame({ dst: 2, src: 1, tags }))
      const key = new Uint32Array(KEY_WORDS)
      extract(pool, h, 1, key, 0)
      pool.free(h)
      expect(depthOf(tagsOfKey(key))).toBe(tags.length)
      x.begin(key, KEY_WORDS, -1, 0)
      x.setVlans(tagsOfKey(key))
      expect(x.flow.subarray(0, KEY_WORDS)).toEqual(key)
    }),
  )
})

test('fields rewritten for one output are as they were for the next', () => {
  const frame = fromHex(
    '020000000002 020000000001 0800 4500 001c 0000 0000 40 11 66cf 0a000001 0a000002 0035 0035 0008 0000',
  )
  const out = translate(frame, () => {
    const flow = x.flow.slice()
    setDlDst(x.flow, 0x0a0b0c0d0e0f)
    x.flow[W_NW_SRC] = 0x01020304
    setTpDst(x.flow, 99)
    x.output(1)
    x.flow.set(flow)
    x.output(2)
  })
  expect(out[1]).toBe(`2 ${hex(frame)}`)
  expect(out[0].slice(2)).toContain('0a0b0c0d0e0f')
  expect(out[0].slice(2)).toContain('01020304')
  expect(out[0].slice(2)).toContain('00350063')
  expect(splitTags(frame).tags).toEqual([])
})
