import { describeValue, type Path } from './config-error.ts'
import { nearest } from './nearest.ts'
import { ConfigSchema } from './schema.ts'
import type { z } from './zod.ts'

/** What the schema finds wrong at one place. `prune`: what must go so that the rest can be checked further. */
export interface Problem {
  readonly path: Path
  readonly atKey: boolean
  readonly found: string
  readonly expected: string
  readonly suggestion?: string | undefined
}

type Issue = z.core.$ZodIssue
/** The part of zod's own description of a schema that is walked here. */
interface Schema {
  def: Def
  /** Of a schema that is made when it is needed, what zod has made of it. */
  _zod: { innerType?: Schema }
}
interface Def {
  type: string
  shape?: Record<string, Schema>
  innerType?: Schema
  valueType?: Schema
  element?: Schema
  items?: Schema[]
  options?: Schema[]
  discriminator?: string
  values?: unknown[]
}

function at(value: unknown, path: Path): unknown {
  let v = value
  for (const part of path) {
    if (v === null || typeof v !== 'object' || !Object.hasOwn(v, part)) return undefined
    v = (v as Record<string | number, unknown>)[part]
  }
  return v
}

/** The alternative of a union that `value` was most likely meant to be. */
function choose(def: Def, value: unknown): Schema | undefined {
  const options = (def.options ?? []).map((o) => o._zod.innerType ?? o)
  if (def.discriminator !== undefined) {
    const kind = at(value, [def.discriminator])
    return options.find((o) => o.def.shape?.[def.discriminator!]?.def.values?.includes(kind))
  }
  const wanted = Array.isArray(value) ? 'array' : value !== null && typeof value === 'object' ? 'object' : ''
  return options.find((o) => o.def.type === wanted)
}

function unwrap(schema: Schema | undefined, value: unknown): Def | undefined {
  for (;;) {
    const inner = schema?.def.innerType ?? schema?._zod.innerType
    if (inner !== undefined) schema = inner
    else if (schema?.def.options !== undefined) schema = choose(schema.def, value)
    else return schema?.def
  }
}

/** The names known to the object schema at `path`. */
function knownKeys(root: unknown, path: Path): string[] {
  let def = unwrap(ConfigSchema as unknown as Schema, root)
  for (const [i, part] of path.entries()) {
    const inner: Schema | undefined =
      def?.shape?.[part] ?? def?.valueType ?? def?.element ?? def?.items?.[part as number]
    def = unwrap(inner, at(root, path.slice(0, i + 1)))
  }
  return Object.keys(def?.shape ?? {})
}

function fromIssue(root: unknown, issue: Issue, base: Path): Problem[] {
  const path = [...base, ...(issue.path as (string | number)[])]
  const value = at(root, path)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(root, path)
    return issue.keys.map((key) => ({
      path: [...path, key],
      atKey: true,
      found: `the unknown key "${key}"`,
      expected: known.length === 0 ? 'no such key' : `one of ${known.join(', ')}`,
      suggestion: nearest(key, known),
    }))
  }
  if (issue.code === 'invalid_union') {
    // The alternative that is of the right kind knows better what is wrong inside it.
    const inside = issue.errors.filter(
      (e) => !e.some((i) => i.path.length === 0 && i.code === 'invalid_type'),
    )
    const deeper = inside.length === 1 ? inside[0]! : undefined
    if (deeper?.some((i) => i.path.length > 0)) return deeper.flatMap((i) => fromIssue(root, i, path))
  }
  const quoted = [...issue.message.matchAll(/"([^"\s]+)"/g)].map((m) => m[1]!)
  const choices = issue.message.startsWith('one of') ? quoted : []
  return [
    {
      path,
      atKey: false,
      found: describeValue(value),
      expected: issue.message,
      suggestion: typeof value === 'string' ? nearest(value, choices) : undefined,
    },
  ]
}

/** Everything the schema finds wrong with `value`. */
export function schemaProblems(value: unknown): Problem[] {
  const result = ConfigSchema.safeParse(value)
  return result.success ? [] : result.error.issues.flatMap((issue) => fromIssue(value, issue, []))
}

/**
 * Takes out of `value` (in place) what the schema refuses, so that the rest can be cross-checked and all
 * errors come at once. Named elements stay as empty ones: others may refer to them.
 */
export function prune(value: unknown, problems: readonly Problem[]): void {
  for (const { path } of problems) {
    const parent = at(value, path.slice(0, -1))
    const key = path.at(-1)
    if (key === undefined || parent === null || typeof parent !== 'object') continue
    if (!Object.hasOwn(parent, key)) continue
    const holder = String(path.at(-2))
    const named =
      path.length % 2 === 0 && ['bridges', 'hosts', 'routers', 'ports', 'interfaces'].includes(holder)
    const container = parent as Record<string | number, unknown>
    if (named) container[key] = {}
    else if (Array.isArray(parent)) parent[key as number] = undefined
    else delete container[key]
  }
}
