import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatOdpActions, type OdpAction, parseOdpActions } from '../../../protocols/odp/action.ts'

const port = fc.nat({ max: 0xffff_ffff })
const simple: fc.Arbitrary<OdpAction> = fc.oneof(
  fc.record({ type: fc.constant('output' as const), port }),
  fc.record({
    type: fc.constant('push_vlan' as const),
    tpid: fc.constantFrom(0x8100, 0x88a8),
    tci: fc.nat({ max: 0xffff }),
  }),
  fc.constant({ type: 'pop_vlan' as const }),
  fc.record({ type: fc.constant('trunc' as const), length: port }),
  fc.record({ type: fc.constant('recirc' as const), id: port.map((id) => id % 10) }),
  fc.record({
    type: fc.constant('set' as const),
    attribute: fc.constant('ipv6'),
    fields: fc.tuple(fc.bigInt(0n, (1n << 128n) - 1n), fc.bigInt(0n, 0xfffffn)).map(([dst, label]) => [
      { name: 'dst', value: dst, mask: (1n << 128n) - 1n },
      { name: 'label', value: label, mask: 0xff0n },
    ]),
  }),
)
const list: fc.Arbitrary<OdpAction[]> = fc.array(
  fc.oneof(
    simple,
    fc.record({ type: fc.constant('clone' as const), actions: fc.array(simple, { minLength: 1 }) }),
    fc.record({
      type: fc.constant('check_pkt_len' as const),
      size: fc.nat({ max: 0xffff }),
      greater: fc.array(simple),
      other: fc.array(simple),
    }),
  ),
)

test('what is written is read again', () => {
  fc.assert(
    fc.property(list, (actions) => {
      expect(parseOdpActions(formatOdpActions(actions))).toEqual(actions)
    }),
  )
})

test('whatever is written, it is read or refused', () => {
  const words = [
    '1',
    ',',
    '(',
    ')',
    'set',
    'clone',
    'ipv4',
    'src=1.1.1.1',
    'check_pkt_len',
    'size=1',
    'gt',
    'le',
    'drop',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words)), (parts) => {
      parseOdpActions(parts.join(''))
    }),
  )
})
