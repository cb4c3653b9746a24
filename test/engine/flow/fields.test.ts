import fc from 'fast-check'
import { expect, test } from 'vitest'
import { extract } from '../../../engine/flow/extract.ts'
import * as fields from '../../../engine/flow/fields.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'
import { KEY_WORDS } from '../../../protocols/flow-key.ts'
import { fromHex, makeFrame } from '../../support/frames.ts'

const pool = new PacketPool(1)

function keyOf(frame: Uint8Array): Uint32Array {
  const h = pool.fromBytes(frame)
  const key = new Uint32Array(KEY_WORDS)
  extract(pool, h, 1, key, 0)
  pool.free(h)
  return key
}

const mac = fc.nat(0xffff_ffff_ffff)

test('addresses read as the frame has them, and one is set without touching the other', () => {
  fc.assert(
    fc.property(mac, mac, mac, mac, (dst, src, newDst, newSrc) => {
      const k = keyOf(makeFrame({ dst, src }))
      expect([fields.dlDst(k), fields.dlSrc(k)]).toEqual([dst, src])
      fields.setDlDst(k, newDst)
      expect([fields.dlDst(k), fields.dlSrc(k)]).toEqual([newDst, src])
      fields.setDlSrc(k, newSrc)
      expect(k).toEqual(keyOf(makeFrame({ dst: newDst, src: newSrc })))
      expect(fields.dlDstIsMulticast(k)).toBe(Math.floor(newDst / 2 ** 40) % 2 === 1)
      expect(fields.dlSrcIsMulticast(k)).toBe(Math.floor(newSrc / 2 ** 40) % 2 === 1)
      expect(fields.macHigh(newDst) * 2 ** 32 + fields.macLow(newDst)).toBe(newDst)
    }),
  )
})

test('broadcast is all ones and nothing else', () => {
  expect(fields.dlDstIsBroadcast(keyOf(makeFrame({ dst: 0xffff_ffff_ffff, src: 1 })))).toBe(true)
  for (let bit = 0; bit < 48; bit++) {
    const dst = 0xffff_ffff_ffff - 2 ** bit
    expect(fields.dlDstIsBroadcast(keyOf(makeFrame({ dst, src: 1 })))).toBe(false)
  }
})

test('ports, identifier and TCI are set in their halves of a word', () => {
  const half = fc.nat(0xffff)
  fc.assert(
    fc.property(half, half, half, (a, b, c) => {
      const k = new Uint32Array(KEY_WORDS).fill(0xffff_ffff)
      fields.setTpSrc(k, a)
      fields.setTpDst(k, b)
      fields.setIcmpId(k, c)
      fields.setVlanTci(k, a)
      expect([fields.tpSrc(k), fields.tpDst(k), fields.icmpId(k)]).toEqual([a, b, c])
      expect([fields.vlanTci(k), fields.innerVlanTci(k), fields.tcpFlags(k)]).toEqual([a, 0xffff, 0xffff])
    }),
  )
})

test('fields of an IPv4 header', () => {
  const ip = '45b8 001c 0001 2001 40 11 0000 c0000001 c00000fe 0035 d431 0008 0000'
  const k = keyOf(fromHex(`020000000002 020000000001 0800 ${ip}`))
  expect([fields.dlType(k), fields.nwProto(k), fields.nwTos(k), fields.nwTtl(k)]).toEqual([
    0x800, 17, 0xb8, 64,
  ])
  expect([fields.isFragment(k), fields.isLaterFragment(k)]).toEqual([true, true])
})
