/** A place in the configuration: keys and indices from the root. */
export type Path = readonly (string | number)[]

/** One thing wrong with a configuration. `line` and `column` count from 1. */
export interface ConfigError {
  /** JSON path, for example `$.hosts.vm1.interfaces.eth0.address`. */
  readonly path: string
  readonly line: number
  readonly column: number
  /** What stands there. */
  readonly found: string
  /** What should stand there. */
  readonly expected: string
  /** The known name that was probably meant. */
  readonly suggestion?: string
  /** All of it in one sentence. */
  readonly message: string
}

export function formatPath(path: Path): string {
  let text = '$'
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += /^[A-Za-z0-9_$-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  }
  return text
}

/** How a value is shown in an error: short, on one line. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value) && value.length === 0) return 'an empty list'
  const text = JSON.stringify(value)
  if (text.length <= 60) return text
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'an object'
  return `${text.slice(0, 56)}…`
}

export function configError(
  path: Path,
  position: { line: number; column: number },
  found: string,
  expected: string,
  suggestion?: string,
): ConfigError {
  const text = formatPath(path)
  const tail = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`
  return {
    path: text,
    line: position.line,
    column: position.column,
    found,
    expected,
    ...(suggestion === undefined ? {} : { suggestion }),
    message: `${text} (line ${position.line}, column ${position.column}): found ${found}, expected ${expected}${tail}`,
  }
}
