/** The 36 characters of RFC 4122 §3, in lower case. */
export type Uuid = string

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

export const ZERO_UUID: Uuid = '00000000-0000-0000-0000-000000000000'

/** The UUID that `text` spells, in either case; undefined when it is none. */
export function parseUuid(text: string): Uuid | undefined {
  return text.length === 36 && UUID.test(text) ? text.toLowerCase() : undefined
}
