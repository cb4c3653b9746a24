/**
 * The Network Service Header, RFC 8300 §2: base header, service path header and, of MD type 1, the four context
 * words. Context of MD type 2 is not matched on.
 */
import { FLAG_BAD_L3, KEY_NSH, W_NSH, W_NSH_CONTEXT, W_NSH_PATH } from '../../protocols/flow-key.ts'

const BASE_LENGTH = 8
const MD_TYPE_1 = 1
const MD_TYPE_1_LENGTH = 24

/** Fills the words of the header from `p`; FLAG_BAD_L3 and zeros where it contradicts itself. */
export function extractNsh(dv: DataView, key: Uint32Array, at: number, p: number, end: number): number {
  for (let w = W_NSH; w < KEY_NSH; w++) key[at + w] = 0
  if (end - p < BASE_LENGTH) return FLAG_BAD_L3
  // Version (2), flags (2), TTL (6), length in words (6).
  const first = dv.getUint16(p)
  const length = (first & 0x3f) << 2
  const mdType = dv.getUint8(p + 2) & 0x0f
  if (first >>> 14 !== 0 || length < BASE_LENGTH || length > end - p) return FLAG_BAD_L3
  if (mdType === MD_TYPE_1 && length !== MD_TYPE_1_LENGTH) return FLAG_BAD_L3
  const flags = (first >>> 12) & 3
  const ttl = (first >>> 6) & 0x3f
  key[at + W_NSH] = (flags << 24) | (ttl << 16) | (mdType << 8) | dv.getUint8(p + 3)
  key[at + W_NSH_PATH] = dv.getInt32(p + 4)
  if (mdType === MD_TYPE_1) {
    for (let i = 0; i < 4; i++) key[at + W_NSH_CONTEXT + i] = dv.getInt32(p + 8 + 4 * i)
  }
  return 0
}
