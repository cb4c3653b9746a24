import { isatty } from 'node:tty'
import pc from 'picocolors'

/** What is printed, in one place: colours only on a terminal and not against the user's NO_COLOR. */

function coloured(fd: number): boolean {
  return isatty(fd) && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}

export const colors = pc.createColors(coloured(1))
export const errorColors = pc.createColors(coloured(2))

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

let endsUnread = true

/** A command whose reader has seen enough (`| head`) is done, unless it carries on. */
export function endWhenUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (endsUnread) process.exit()
  })
}

/** A switch is not done when nobody reads on: one Ctrl-C ends `| tee`, too, and what was made is still to be taken back. */
export function carryOnUnread(): void {
  endsUnread = false
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

const PREFIXES = ['', 'k', 'M', 'G', 'T']

/** 1234567 as "1.23M". */
export function short(n: number): string {
  let value = n
  let i = 0
  while (value >= 999.5 && i < PREFIXES.length - 1) {
    value /= 1000
    i++
  }
  const digits = i === 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0
  return `${value.toFixed(digits)}${PREFIXES[i]}`
}

/** Seconds as "2d 3h", "5m 20s" or "42s". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`
}
