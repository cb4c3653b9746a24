import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FIELDS, MFF } from '../../../protocols/meta-flow.ts'
import { emptyMatch } from '../../../protocols/openflow/match.ts'
import {
  getMatchField,
  isWild,
  maskIsValid,
  setMatchField,
  valueIsValid,
} from '../../../protocols/openflow/match-field.ts'
import { isPlain, isPlainWild, setPlain } from '../../../protocols/openflow/match-plain.ts'

const plain = FIELDS.filter(isPlain)

test('what rules are mostly made of is plain', () => {
  const names = [
    'eth_src',
    'eth_dst',
    'eth_type',
    'ip_src',
    'ip_dst',
    'ipv6_dst',
    'nw_proto',
    'tcp_dst',
    'udp_src',
  ]
  for (const name of [...names, 'metadata', 'reg7', 'ct_mark'] as (keyof typeof MFF)[]) {
    expect(plain.map((f) => f.name)).toContain(name)
  }
  for (const name of ['in_port', 'in_port_oxm', 'vlan_vid', 'ip_frag', 'ct_state'] as const) {
    expect(isPlain(FIELDS[MFF[name]])).toBe(false)
  }
})

test('a plain field is set as any field is, and may have every value', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(fc.constantFrom(...plain), bytes, bytes, fc.boolean(), (field, from, masks, masked) => {
      const mask = masked && field.maskable ? masks.slice(0, field.bytes) : undefined
      const value = from.slice(0, field.bytes).map((x, i) => x & (mask?.[i] ?? 0xff))
      expect(valueIsValid(field, value)).toBe(true)
      expect(maskIsValid(field, mask ?? new Uint8Array(field.bytes).fill(0xff))).toBe(true)
      const expected = emptyMatch()
      setMatchField(expected, field, value, mask)
      const match = emptyMatch()
      const wire = Uint8Array.from([1, 2, ...value, ...(mask ?? [])])
      setPlain(match, field, wire, 2, mask === undefined ? undefined : 2 + field.bytes)
      expect(match).toEqual(expected)
      expect(getMatchField(match, field)).toEqual(getMatchField(expected, field))
      expect(isPlainWild(match, field)).toBe(isWild(match, field))
    }),
  )
})
