/**
 * Schemas as texts, as a server tells them in `_Server`. Its clients read them on every connection, and most often
 * what they have read before or what a server in the same process has written.
 */
import { parseJson } from './json-text.ts'
import { canonicalText } from './json-value.ts'
import { type DatabaseSchema, parseSchema, schemaToJson } from './schema.ts'

/** The last texts and what they say. */
const known = new Map<string, DatabaseSchema>()
const KNOWN = 4

export function schemaText(schema: DatabaseSchema): string {
  const text = canonicalText(schemaToJson(schema))
  remember(text, schema)
  return text
}

/** @throws JsonError, OvsdbError */
export function schemaOfText(text: string): DatabaseSchema {
  const schema = known.get(text) ?? parseSchema(parseJson(text))
  remember(text, schema)
  return schema
}

function remember(text: string, schema: DatabaseSchema): void {
  known.delete(text)
  known.set(text, schema)
  const [oldest] = known.keys()
  if (known.size > KNOWN) known.delete(oldest)
}
