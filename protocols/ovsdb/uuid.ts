import type { Random } from '../random.ts'

/** The 36 characters of RFC 4122 §3, in lower case. */
export type Uuid = string

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

export const ZERO_UUID: Uuid = '00000000-0000-0000-0000-000000000000'

/** The UUID that `text` spells, in either case; undefined when it is none. */
export function parseUuid(text: string): Uuid | undefined {
  return text.length === 36 && UUID.test(text) ? text.toLowerCase() : undefined
}

const HYPHEN = '-'.charCodeAt(0)
const HEX = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Where the 32 digits stand among the 36 characters. */
const DIGITS = Array.from({ length: 36 }, (_, i) => i).filter((i) => ![8, 13, 18, 23].includes(i))
const codes = new Array<number>(36).fill(HYPHEN)

function putWord(word: number, value: number): void {
  for (let digit = 0; digit < 8; digit++) {
    codes[DIGITS[8 * word + digit]] = HEX[(value >>> (28 - 4 * digit)) & 0xf]
  }
}

/** A new one, of version 4 (RFC 4122 §4.4); made in one piece, so that it takes the memory of its characters only. */
export function randomUuid(random: Random): Uuid {
  putWord(0, random())
  putWord(1, (random() & 0xffff0fff) | 0x4000)
  putWord(2, (random() & 0x3fffffff) | 0x80000000)
  putWord(3, random())
  return String.fromCharCode.apply(undefined, codes)
}
