import fc from 'fast-check'
import { expect, test } from 'vitest'
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import { NO_BUFFER } from '../../../protocols/openflow/flow-mod.ts'
import { emptyMatch, setMatchBits } from '../../../protocols/openflow/match.ts'
import { encodeMessage } from '../../../protocols/openflow/message.ts'
import { formByName } from '../../../protocols/openflow/message-forms.ts'
import { PACKET_IN_REASONS, type PacketInFormat } from '../../../protocols/openflow/packet-in.ts'
import { PacketInStencil } from '../../../protocols/openflow/packet-in-stencil.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'

const FORMS: Record<PacketInFormat, string | undefined> = {
  standard: undefined,
  nxt_packet_in: 'NXT_PACKET_IN',
  nxt_packet_in2: 'NXT_PACKET_IN2',
}

test('a message made by a stencil is that of the codec, in every version and form', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<OfVersion>(1, 2, 3, 4, 5, 6),
      fc.constantFrom<PacketInFormat>('standard', 'nxt_packet_in', 'nxt_packet_in2'),
      fc.constantFrom(...PACKET_IN_REASONS),
      fc.nat(0xfffe),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ minLength: 14, maxLength: 1600 }),
      (version, format, reason, port, userdata, packet) => {
        const metadata = emptyMatch()
        setMatchBits(metadata, W_IN_PORT, port, 0xffff_ffff)
        const facts = { reason, table: 7, cookie: 99n, metadata, userdata }
        const name = FORMS[format]
        const form = name === undefined ? undefined : formByName(name)
        const whole = { ...facts, packet, totalLength: packet.length, bufferId: NO_BUFFER }
        const expected = encodeMessage('PACKET_IN', whole, { version, form })!
        const stencil = PacketInStencil.make(facts, version, format)!
        const out = new Uint8Array(expected.length + 5).fill(0xee)
        expect(stencil.length(packet.length)).toBe(expected.length)
        stencil.write(packet, out, 2)
        expect(out.subarray(2, 2 + expected.length)).toEqual(expected)
      },
    ),
  )
})

test('a packet for which a message has no room gets none', () => {
  const facts = {
    reason: 'action',
    table: 0,
    cookie: 0n,
    metadata: emptyMatch(),
    userdata: new Uint8Array(0),
  } as const
  const stencil = PacketInStencil.make(facts, 4, 'standard')!
  expect(stencil.length(65_000)).toBeGreaterThan(65_000)
  expect(stencil.length(65_530)).toBe(0)
})
