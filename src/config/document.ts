import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser'
import { type ConfigError, configError, type Path } from './config-error.ts'

/** A value read from JSON with comments, and where in the text each part of it stands. */
export interface Document {
  readonly value: unknown
  readonly errors: readonly ConfigError[]
  /** Position of the value at `path`; of what holds it when it is missing. */
  positionOf(path: Path): { line: number; column: number }
  /** Position of the key that names the value at `path`. */
  positionOfKey(path: Path): { line: number; column: number }
}

const MAX_DEPTH = 64

/** Of jsonc-parser's SyntaxKind, which is a const enum and has no values at run time. */
const OPEN_BRACE = 1
const CLOSE_BRACE = 2
const OPEN_BRACKET = 3
const CLOSE_BRACKET = 4
const EOF = 17

/** jsonc-parser's ParseErrorCode by number. */
const SYNTAX: Readonly<Record<number, string>> = {
  1: 'a JSON value',
  2: 'a number as JSON writes it',
  3: 'a name in double quotes',
  4: 'a value',
  5: 'a colon',
  6: 'a comma',
  7: 'a closing brace',
  8: 'a closing bracket',
  9: 'the end of the file',
  10: 'a comment as JSON with comments has it (// or /* */)',
  11: 'the end of the comment (*/)',
  12: 'the end of the string (")',
  13: 'the rest of the number',
  14: 'a \\u escape with four hexadecimal digits',
  15: 'a known escape',
  16: 'a JSON value',
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** Whether brackets nest deeper than any configuration does; the parser would run out of stack. */
function tooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  for (let kind: number = scanner.scan(); kind !== EOF; kind = scanner.scan()) {
    if (kind === OPEN_BRACE || kind === OPEN_BRACKET) depth++
    else if (kind === CLOSE_BRACE || kind === CLOSE_BRACKET) depth--
    if (depth > MAX_DEPTH) return scanner.getTokenOffset()
  }
  return undefined
}

export function readDocument(input: string): Document {
  const text = input.startsWith('\ufeff') ? ` ${input.slice(1)}` : input
  const starts = lineStarts(text)
  const errors: ConfigError[] = []

  const positionAt = (offset: number) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }

  const shown = (offset: number, length: number) => {
    const piece = text.slice(offset, offset + Math.min(Math.max(length, 1), 40)).trim()
    return piece === '' ? 'the end of the line' : JSON.stringify(piece)
  }

  const syntax = (offset: number, length: number, expected: string) => {
    const end = text.slice(offset).trim() === ''
    errors.push(
      configError([], positionAt(offset), end ? 'the end of the file' : shown(offset, length), expected),
    )
  }

  let root: Node | undefined
  const deep = tooDeep(text)
  if (deep !== undefined) {
    syntax(deep, 1, `at most ${MAX_DEPTH} levels of brackets`)
  } else {
    const problems: ParseError[] = []
    root = parseTree(text, problems, { allowTrailingComma: true })
    for (const [i, p] of problems.entries()) {
      // Each brace that is left open is missed at the same place: said once.
      const before = problems[i - 1]
      if (p.error === before?.error && p.offset === before.offset) continue
      syntax(p.offset, p.length, SYNTAX[p.error] ?? 'JSON')
    }
    if (root === undefined && problems.length === 0) syntax(0, 0, 'a configuration: { "bridges": { … } }')
  }

  const toValue = (node: Node, path: Path): unknown => {
    if (node.type === 'array') return (node.children ?? []).map((child, i) => toValue(child, [...path, i]))
    if (node.type !== 'object') return node.value
    const result: Record<string, unknown> = {}
    const seen = new Map<string, Node>()
    for (const property of node.children ?? []) {
      const [keyNode, valueNode] = property.children ?? []
      if (keyNode === undefined || valueNode === undefined) continue
      const key = String(keyNode.value)
      const first = seen.get(key)
      const at = [...path, key]
      if (key === '__proto__') {
        errors.push(configError(at, positionAt(keyNode.offset), 'the name "__proto__"', 'another name'))
      } else if (first !== undefined) {
        const { line } = positionAt(first.offset)
        errors.push(
          configError(
            at,
            positionAt(keyNode.offset),
            `the name "${key}" a second time`,
            `a name that is not taken yet (it is on line ${line})`,
          ),
        )
      } else {
        seen.set(key, keyNode)
        result[key] = toValue(valueNode, at)
      }
    }
    return result
  }

  const child = (node: Node, part: string | number): Node | undefined => {
    if (typeof part === 'number') return node.type === 'array' ? node.children?.[part] : undefined
    return node.type === 'object' ? node.children?.find((p) => p.children?.[0]?.value === part) : undefined
  }

  const locate = (path: Path, key: boolean) => {
    let node = root
    let offset = root?.offset ?? 0
    for (const [i, part] of path.entries()) {
      if (node === undefined) break
      const found = child(node, part)
      if (found === undefined) break
      node = found.type === 'property' ? found.children?.[1] : found
      offset = (key && i === path.length - 1 ? found.offset : node?.offset) ?? found.offset
    }
    return positionAt(offset)
  }

  return {
    value: root === undefined ? undefined : toValue(root, []),
    errors,
    positionOf: (path) => locate(path, false),
    positionOfKey: (path) => locate(path, true),
  }
}
