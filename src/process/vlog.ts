/**
 * The log of a daemon, in Open vSwitch's form: modules say things at levels, and what reaches the console, the log
 * file and syslog is set for each (`-v`, `ovs-appctl vlog/set`).
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { now } from '../../engine/sys/clock.ts'
import { errorText } from './error-text.ts'
import { DESTINATIONS, type Destination, type Level, parseVlogSetting, rank } from './vlog-levels.ts'
import { formatRecord, type LogRecord, type LogSource, syslogPriority } from './vlog-pattern.ts'

const STDERR = 2
const LOG_DAEMON = 3
const STAMP = '%D{%Y-%m-%dT%H:%M:%S'
const REST = '|%05N|%c%T|%p|%m'

/** Where messages for syslog go. */
export type SyslogWriter = (priority: number, line: string) => void

/** What one module of a daemon says with. */
export interface ModuleLog {
  emer(text: string): void
  err(text: string): void
  warn(text: string): void
  info(text: string): void
  dbg(text: string): void
}

export class Vlog {
  readonly modules: ReadonlySet<string>
  readonly #source: { -readonly [K in keyof LogSource]: LogSource[K] }
  readonly #levels = new Map<string, Record<Destination, Level>>()
  readonly #patterns: Record<Destination, string> = {
    syslog: `ovs${REST}`,
    console: `${STAMP}Z}${REST}`,
    file: `${STAMP}.###Z}${REST}`,
  }
  #facilitySet = false
  #sequence = 0
  #syslog: SyslogWriter | undefined
  #file: { readonly path: string; readonly fd: number } | undefined
  /** The file of `--log-file`, also when it is closed. */
  #path: string | undefined
  /** Nobody sees the console of a daemon in the background. */
  #console = true

  /** @param modules all that may be named in settings, whether or not they say anything */
  constructor(program: string, modules: readonly string[]) {
    this.modules = new Set(modules)
    this.#source = { program, host: hostname(), pid: process.pid, started: now(), facility: LOG_DAEMON }
    for (const module of modules) this.#levels.set(module, { syslog: 'INFO', console: 'INFO', file: 'INFO' })
  }

  module(name: string): ModuleLog {
    return {
      emer: (text) => this.log(name, 'EMER', text),
      err: (text) => this.log(name, 'ERR', text),
      warn: (text) => this.log(name, 'WARN', text),
      info: (text) => this.log(name, 'INFO', text),
      dbg: (text) => this.log(name, 'DBG', text),
    }
  }

  /** @param module one of the modules */
  log(module: string, level: Level, text: string): void {
    const levels = this.#levels.get(module)
    if (levels === undefined) throw new Error(`${module} is no module of the log`)
    const wanted = rank(level)
    const toConsole = this.#console && rank(levels.console) >= wanted
    const toFile = this.#file !== undefined && rank(levels.file) >= wanted
    const toSyslog = this.#syslog !== undefined && rank(levels.syslog) >= wanted
    if (!toConsole && !toFile && !toSyslog) return
    this.#sequence++
    for (const line of text.split('\n')) {
      const record: LogRecord = { time: now(), sequence: this.#sequence, module, level, text: line }
      if (toConsole) write(STDERR, this.#format('console', record))
      if (toFile) write(this.#file!.fd, this.#format('file', record))
      if (toSyslog) {
        this.#syslog!(syslogPriority(this.#source.facility, level), this.#format('syslog', record).trimEnd())
      }
    }
  }

  #format(destination: Destination, record: LogRecord): string {
    return `${formatRecord(this.#patterns[destination], record, this.#source)}\n`
  }

  /** Carries a setting out (vlog-levels.ts); answers what is wrong with it. */
  set(text: string): string | undefined {
    const setting = parseVlogSetting(text, this.modules)
    if (typeof setting === 'string') return setting
    if ('facility' in setting) {
      this.#source.facility = setting.facility
      this.#facilitySet = true
      return undefined
    }
    const destinations = setting.destination === undefined ? DESTINATIONS : [setting.destination]
    if ('pattern' in setting) {
      for (const destination of destinations) this.#patterns[destination] = setting.pattern
      return undefined
    }
    for (const [module, levels] of this.#levels) {
      if (setting.module !== undefined && module !== setting.module) continue
      for (const destination of destinations) levels[destination] = setting.level
    }
    return undefined
  }

  level(module: string, destination: Destination): Level {
    return this.#levels.get(module)![destination]
  }

  pattern(destination: Destination): string {
    return this.#patterns[destination]
  }

  get facilitySet(): boolean {
    return this.#facilitySet
  }

  useSyslog(writer: SyslogWriter | undefined): void {
    this.#syslog = writer
  }

  /** Nothing is written to the console from now on. */
  leaveConsole(): void {
    this.#console = false
  }

  get path(): string | undefined {
    return this.#path
  }

  /**
   * Appends to a log file from now on, or warns and answers why that cannot be.
   * @param quiet says nothing there
   */
  open(path: string, quiet = false): string | undefined {
    this.#path = path
    let fd: number
    try {
      fd = openSync(path, 'a', 0o640)
    } catch (error) {
      const reason = errorText(error)
      this.log('vlog', 'WARN', `failed to open ${path} for logging: ${reason}`)
      return reason
    }
    this.close()
    this.#file = { path, fd }
    if (!quiet) this.log('vlog', 'INFO', `opened log file ${path}`)
    return undefined
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd)
    this.#file = undefined
  }
}

/** A log that cannot be written stops nothing. */
function write(fd: number, line: string): void {
  try {
    writeSync(fd, line)
  } catch {
    // The disk is full, or nobody reads the console any more.
  }
}
