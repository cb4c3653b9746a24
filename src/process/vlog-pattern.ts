/** The form of a log line: the conversions of `vlog/set PATTERN:…`, ovs-appctl(8). */
import type { Instant } from '../../protocols/time.ts'
import { type Level, rank } from './vlog-levels.ts'

export interface LogRecord {
  readonly time: Instant
  /** Counts messages from 1, whether or not they are written. */
  readonly sequence: number
  readonly module: string
  readonly level: Level
  readonly text: string
}

/** Who writes it. */
export interface LogSource {
  readonly program: string
  readonly host: string
  readonly pid: number
  readonly started: Instant
  readonly facility: number
}

/** Severities of syslog(3). */
const SEVERITY: Readonly<Record<Level, number>> = { OFF: 1, EMER: 1, ERR: 3, WARN: 4, INFO: 6, DBG: 7 }

export function syslogPriority(facility: number, level: Level): number {
  return (facility << 3) | SEVERITY[level]
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const two = (n: number, fill = '0'): string => String(n).padStart(2, fill)

/** strftime(3) as far as logs use it; `###` are milliseconds. */
function formatTime(template: string, time: Instant, utc: boolean): string {
  const date = new Date(time)
  // Shifted, so that the UTC getters answer in local time.
  if (!utc) date.setTime(time - date.getTimezoneOffset() * 60_000)
  const day = DAYS[date.getUTCDay()]
  const month = MONTHS[date.getUTCMonth()]
  const clock = () => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  const dashed = () => `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
  const fields: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getUTCFullYear()),
    y: () => two(date.getUTCFullYear() % 100),
    m: () => two(date.getUTCMonth() + 1),
    d: () => two(date.getUTCDate()),
    e: () => two(date.getUTCDate(), ' '),
    H: () => two(date.getUTCHours()),
    M: () => two(date.getUTCMinutes()),
    S: () => two(date.getUTCSeconds()),
    a: () => day.slice(0, 3),
    A: () => day,
    b: () => month.slice(0, 3),
    h: () => month.slice(0, 3),
    B: () => month,
    T: clock,
    F: dashed,
    s: () => String(Math.floor(time / 1000)),
    '%': () => '%',
  }
  return template
    .replace('###', String(Math.floor(time) % 1000).padStart(3, '0'))
    .replace(/%(.)/g, (all, letter: string) => fields[letter]?.() ?? all)
}

/** Writes one line, without its end. */
export function formatRecord(pattern: string, record: LogRecord, source: LogSource): string {
  const conversion = /%([-0]*)(\d*)(?:([dD])(?:\{([^}]*)\})?|(.)(?:\{[^}]*\})?)/g
  return pattern.replace(conversion, (_all, flags: string, width: string, date, template, letter: string) => {
    const text = date === undefined ? field(letter, record, source) : dateField(date, template, record.time)
    if (width === '') return text
    if (flags.includes('-')) return text.padEnd(Number(width))
    return text.padStart(Number(width), flags.includes('0') ? '0' : ' ')
  })
}

function dateField(letter: string, template: string | undefined, time: Instant): string {
  return formatTime(template ?? '%Y-%m-%d %H:%M:%S.###', time, letter === 'D')
}

function field(letter: string, record: LogRecord, source: LogSource): string {
  switch (letter) {
    case 'A':
      return source.program
    case 'B':
      return String(syslogPriority(source.facility, record.level))
    case 'c':
      return record.module
    case 'E':
      return source.host
    case 'm':
      return record.text
    case 'N':
      return String(record.sequence)
    case 'n':
      return '\n'
    case 'p':
      return rank(record.level) === 0 ? 'EMER' : record.level
    case 'P':
      return String(source.pid)
    case 'r':
      return String(Math.floor(record.time - source.started))
    // The name of the thread: the main one has none.
    case 't':
    case 'T':
      return ''
    case '%':
      return '%'
    default:
      return letter
  }
}
