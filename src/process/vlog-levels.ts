/** How much of what is logged where: the levels of a module at a destination, in the words of ovs-appctl(8). */

/** From silence to everything. */
export const LEVELS = ['OFF', 'EMER', 'ERR', 'WARN', 'INFO', 'DBG'] as const
export type Level = (typeof LEVELS)[number]

export const DESTINATIONS = ['syslog', 'console', 'file'] as const
export type Destination = (typeof DESTINATIONS)[number]

/** A higher number says more. */
export function rank(level: Level): number {
  return LEVELS.indexOf(level)
}

/** A change of levels; what is not named is every one of its kind. */
export interface LevelChange {
  readonly module: string | undefined
  readonly destination: Destination | undefined
  readonly level: Level
}

export type VlogSetting =
  | LevelChange
  | { readonly pattern: string; readonly destination: Destination | undefined }
  | { readonly facility: number }

/** The facilities of syslog(3). */
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  clock: 9,
  ftp: 11,
  ntp: 12,
  audit: 13,
  alert: 14,
  clock2: 15,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
}

function destinationOf(word: string): Destination | undefined {
  return DESTINATIONS.find((name) => name === word.toLowerCase())
}

function parsePattern(text: string): VlogSetting | string {
  const rest = text.replace(/^:+/, '')
  if (rest === '') return 'missing destination'
  const colon = rest.indexOf(':')
  const word = colon < 0 ? rest : rest.slice(0, colon)
  const pattern = colon < 0 ? '' : rest.slice(colon + 1)
  if (word.toLowerCase() === 'any') return { pattern, destination: undefined }
  const destination = destinationOf(word)
  return destination === undefined ? `unknown destination "${word}"` : { pattern, destination }
}

/**
 * Reads `MODULE:DESTINATION:LEVEL` (each may be missing or ANY, in any order), `PATTERN:DESTINATION:PATTERN` or
 * `FACILITY:NAME`.
 * @returns what is wrong with it, where something is
 */
export function parseVlogSetting(text: string, modules: ReadonlySet<string>): VlogSetting | string {
  const words = text.split(/[ ,:\t]+/).filter((word) => word !== '')
  if (words[0] === 'PATTERN') return parsePattern(text.slice(text.indexOf('PATTERN') + 'PATTERN'.length))
  if (words[0] === 'FACILITY') {
    const facility = FACILITIES[words[1]?.toLowerCase() ?? '']
    return facility === undefined ? 'invalid facility' : { facility }
  }
  let level: Level | undefined
  let destination: Destination | undefined
  let module: string | undefined
  for (const word of words) {
    if (word.toLowerCase() === 'any') continue
    const asDestination = destinationOf(word)
    const asLevel = LEVELS.find((name) => name === word.toUpperCase())
    const asModule = word.toLowerCase().replaceAll('-', '_')
    if (asDestination !== undefined) {
      if (destination !== undefined) return 'cannot specify multiple destinations'
      destination = asDestination
    } else if (asLevel !== undefined) {
      if (level !== undefined) return 'cannot specify multiple levels'
      level = asLevel
    } else if (modules.has(asModule)) {
      if (module !== undefined) return 'cannot specify multiple modules'
      module = asModule
    } else return `no destination, level, or module "${word}"`
  }
  return { module, destination, level: level ?? 'DBG' }
}
