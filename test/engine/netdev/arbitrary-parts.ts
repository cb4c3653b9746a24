import fc from 'fast-check'
import { GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 } from '../../../engine/memory/packet-pool.ts'
import type { Parts } from '../../reference/segmentation.ts'

const tag = fc.tuple(fc.constantFrom(0x8100, 0x88a8), fc.nat(0xffff))

/** Frames of all the kinds that checksums and segmentation are offloaded for. */
export function arbitraryParts(maxPayload: number): fc.Arbitrary<Parts> {
  return fc
    .record({
      tags: fc.array(tag, { maxLength: 2 }),
      version: fc.constantFrom<4 | 6>(4, 6),
      protocol: fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp'),
      optionWords: fc.nat(10),
      tcpWords: fc.nat(10),
      id: fc.nat(0xffff),
      seq: fc.nat(0xffffffff),
      flags: fc.nat(0xff),
      addresses: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      ports: fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
      payload: fc.uint8Array({ minLength: 1, maxLength: maxPayload, size: 'max' }),
    })
    .map(({ optionWords, tcpWords, ...rest }) => ({
      ...rest,
      ipOptions: rest.version === 4 ? optionWords * 4 : Math.floor(optionWords / 4) * 8,
      tcpOptions: tcpWords * 4,
    }))
}

export function gsoTypeOf(p: Parts): number {
  if (p.protocol === 'udp') return GSO_UDP_L4
  return p.version === 4 ? GSO_TCPV4 : GSO_TCPV6
}
