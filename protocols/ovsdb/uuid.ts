import type { Random } from '../random.ts'

/** The 36 characters of RFC 4122 §3, in lower case. */
export type Uuid = string

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

export const ZERO_UUID: Uuid = '00000000-0000-0000-0000-000000000000'

/** The UUID that `text` spells, in either case; undefined when it is none. */
export function parseUuid(text: string): Uuid | undefined {
  return text.length === 36 && UUID.test(text) ? text.toLowerCase() : undefined
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex16(value: number): string {
  return HEX[(value >>> 8) & 0xff] + HEX[value & 0xff]
}

/** A new one, of version 4 (RFC 4122 §4.4). */
export function randomUuid(random: Random): Uuid {
  const a = random()
  const b = random()
  const c = random()
  const d = random()
  const version = 0x4000 | (b & 0x0fff)
  const variant = 0x8000 | ((c >>> 16) & 0x3fff)
  return `${hex16(a >>> 16)}${hex16(a)}-${hex16(b >>> 16)}-${hex16(version)}-${hex16(variant)}-${hex16(c)}${hex16(d >>> 16)}${hex16(d)}`
}
