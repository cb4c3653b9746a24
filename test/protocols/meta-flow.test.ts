/** The table of match fields: ovs-fields(7). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FIELDS,
  fieldByName,
  fieldByOxm,
  fieldIsClear,
  fillField,
  MFF,
  newFlow,
  oxmOf,
  readField,
  readNumber,
  writeField,
  writeNumber,
} from '../../protocols/meta-flow.ts'
import { errorByNumbers, errorNumbers } from '../../protocols/openflow/error.ts'

const FIXED = FIELDS.filter((f) => !f.variable && f.name !== 'in_port')

describe.each(FIXED)('$name', (field) => {
  it('reads what was written, and touches nothing else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: field.bytes, maxLength: field.bytes }),
        fc.constantFrom(0, 0xffff_ffff),
        (value, background) => {
          const limit = (1n << BigInt(Math.min(field.width + field.low, 8 * field.bytes))) - 1n
          const low = (1n << BigInt(field.low)) - 1n
          let v = BigInt(`0x${Buffer.from(value).toString('hex')}`) & limit & ~low
          const bytes = new Uint8Array(field.bytes)
          for (let i = field.bytes - 1; i >= 0; i--, v >>= 8n) bytes[i] = Number(v & 0xffn)
          const flow = newFlow().fill(background)
          writeField(flow, field, bytes)
          expect(readField(flow, field)).toEqual(bytes)
          const own = newFlow()
          fillField(own, field)
          expect(flow.findIndex((word, w) => ((word ^ background) & ~own[w]) !== 0)).toBe(-1)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('is as wide as it says', () => {
    const own = newFlow()
    expect(fieldIsClear(own, field)).toBe(true)
    fillField(own, field)
    expect(fieldIsClear(own, field)).toBe(false)
    const bits = own.reduce((n, w) => n + w.toString(2).replaceAll('0', '').length, 0)
    expect(bits).toBe(field.width)
    expect(field.bits).toBeLessThanOrEqual(8 * field.bytes)
    if (field.width > 32) return
    const flow = newFlow()
    writeNumber(flow, field, 1)
    expect(readNumber(flow, field)).toBe(1)
  })

  it('is found by its names and numbers', () => {
    for (const n of [field.name, ...field.aliases]) expect(fieldByName(n)).toBe(field)
    for (const o of field.oxm) expect(fieldByOxm(o.class, o.field, o.experimenter)).toBe(field)
  })
})

it('a 16-bit in_port is the 32-bit one, reserved ports translated', () => {
  const flow = newFlow()
  writeField(flow, FIELDS[MFF.in_port], Uint8Array.of(0xff, 0xfe))
  expect(readNumber(flow, FIELDS[MFF.in_port_oxm])).toBe(0xffff_fffe)
  expect(readField(flow, FIELDS[MFF.in_port])).toEqual(Uint8Array.of(0xff, 0xfe))
})

it('each version has its number for a field', () => {
  const name = (f: number, version: number) => oxmOf(FIELDS[f], version)?.name
  expect(name(MFF.tcp_flags, 0)).toBe('NXM_NX_TCP_FLAGS')
  expect(name(MFF.tcp_flags, 3)).toBe('NXM_NX_TCP_FLAGS')
  expect(name(MFF.tcp_flags, 4)).toBe('ONFOXM_ET_TCP_FLAGS')
  expect(name(MFF.tcp_flags, 6)).toBe('OXM_OF_TCP_FLAGS')
  expect(name(MFF.eth_src, 3)).toBe('OXM_OF_ETH_SRC')
  expect(name(MFF.skb_priority, 4)).toBeUndefined()
})

it('errors have the numbers of their version', () => {
  expect(errorNumbers('OFPBAC_BAD_SET_TYPE', 4)).toMatchObject({ vendor: 0, type: 2, code: 13 })
  expect(errorNumbers('OFPBAC_BAD_SET_TYPE', 1)).toMatchObject({ vendor: 0x2320, type: 1, code: 523 })
  expect(errorNumbers('OFPBIC_DUP_INST', 4)).toMatchObject({ vendor: 0x4f4e4600, type: 0xffff, code: 2600 })
  expect(errorNumbers('OFPBIC_UNKNOWN_INST', 1)).toBeUndefined()
  expect(errorByNumbers({ vendor: 0, type: 4, code: 9 }, 4)).toBe('OFPBMC_BAD_PREREQ')
})
