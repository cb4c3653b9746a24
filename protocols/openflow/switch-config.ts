/** Get-config and set-config. */

import { u16 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, type OfFault } from './error.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { OF13 } from './version.ts'

export type FragmentHandling = 'normal' | 'drop' | 'reassemble' | 'nx-match'

export interface SwitchConfig {
  frag: FragmentHandling
  /** OpenFlow 1.1 and 1.2; undefined where the version cannot say it. */
  invalidTtlToController: boolean | undefined
  /** Bytes of a packet that matched no rule that are sent to the controller. */
  missSendLen: number
}

const FRAGMENTS: readonly FragmentHandling[] = ['normal', 'drop', 'reassemble', 'nx-match']
const INVALID_TTL = 1 << 2

function decode({ b, o, version }: Body, strict: boolean): SwitchConfig | OfFault {
  const flags = u16(b, o)
  const known = version < OF13 ? 3 | INVALID_TTL : 3
  if (strict && (flags & ~known) !== 0) return fault('OFPSCFC_BAD_FLAGS')
  return {
    frag: FRAGMENTS[flags & 3],
    invalidTtlToController: version < OF13 ? (flags & INVALID_TTL) !== 0 : undefined,
    missSendLen: u16(b, o + 2),
  }
}

function encode(w: ByteWriter, c: SwitchConfig, { version }: BodyForm): void {
  const ttl = version < OF13 && c.invalidTtlToController === true
  w.u16(FRAGMENTS.indexOf(c.frag) | (ttl ? INVALID_TTL : 0)).u16(c.missSendLen)
}

export const SET_CONFIG_CODEC: BodyCodec<SwitchConfig> = { decode: (body) => decode(body, true), encode }
/** Replies may say what is not known here. */
export const GET_CONFIG_REPLY_CODEC: BodyCodec<SwitchConfig> = {
  decode: (body) => decode(body, false),
  encode,
}
