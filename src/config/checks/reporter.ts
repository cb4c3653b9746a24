import { type ConfigError, configError, describeValue, formatPath, type Path } from '../config-error.ts'
import type { Document } from '../document.ts'
import { nearest } from '../nearest.ts'
import type { ConfigInput } from '../schema.ts'

/** A configuration of which the parts that the schema refuses are missing. */
export type Loose<T> = T extends readonly (infer U)[]
  ? readonly (Loose<U> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Loose<T[K]> | undefined }
    : T

export type LooseConfig = Loose<ConfigInput>

export function entries<T>(map: { readonly [key: string]: T | undefined } | undefined): [string, T][] {
  return Object.entries(map ?? {}).filter((e): e is [string, T] => e[1] !== undefined)
}

/** The index and value of what is there. */
export function items<T>(list: readonly (T | undefined)[] | undefined): [number, T][] {
  return [...(list ?? []).entries()].filter((e): e is [number, T] => e[1] !== undefined)
}

/** One value or a list of them, with the path of each. */
export function each<T>(value: T | readonly (T | undefined)[] | undefined, path: Path): [T, Path][] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [[value as T, path]]
  return items(value as readonly T[]).map(([i, v]) => [v, [...path, i]])
}

/** Takes what the cross-checks find and gives it its place in the text. */
export class Reporter {
  readonly errors: ConfigError[] = []
  readonly #document: Document

  constructor(document: Document) {
    this.#document = document
  }

  /** The value at `path` is not what is expected. */
  value(path: Path, expected: string, known?: Iterable<string>): void {
    let found: unknown = this.#document.value
    for (const part of path) found = (found as Record<string | number, unknown> | undefined)?.[part]
    const suggestion = typeof found === 'string' && known !== undefined ? nearest(found, known) : undefined
    this.errors.push(
      configError(path, this.#document.positionOf(path), describeValue(found), expected, suggestion),
    )
  }

  /** The name at the end of `path` is not what is expected. */
  key(path: Path, expected: string, known: Iterable<string> = []): void {
    const name = String(path.at(-1))
    const found = `the name ${JSON.stringify(name)}`
    const position = this.#document.positionOfKey(path)
    this.errors.push(configError(path, position, found, expected, nearest(name, known)))
  }
}

/** Finds things that must be unique; remembers where each stood first. */
export class Unique<K extends string | number> {
  readonly #first = new Map<K, Path>()

  /** The path of an earlier holder of `value`, as text, or `undefined` when it is the first. */
  claim(value: K, path: Path): string | undefined {
    const first = this.#first.get(value)
    if (first === undefined) this.#first.set(value, path)
    return first === undefined ? undefined : formatPath(first)
  }
}
