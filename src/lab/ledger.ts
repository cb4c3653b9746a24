/**
 * What this daemon has made or changed on the machine, in a file of the run directory, so that whoever comes
 * after a kill -9 can take back exactly that and nothing else.
 *
 * An entry is on disk before the thing is made, and once more after with its identity, so
 * whatever moment the process dies at, nothing exists that no entry names. Before anything is taken back its
 * identity is compared: a namespace or file that somebody else has made under the same name since is left.
 * TAP devices need no entry: they cease to exist with the process.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'

/** What makes a namespace this one and not a later one of the same name and recycled inode number. */
export interface Identity {
  readonly dev: string
  readonly ino: string
  /** Nanoseconds of the inode's change time: for a namespace the moment it was made. */
  readonly ctime: string
}

/** A device whose addresses and settings the switch has taken over, and how they were. */
export interface UplinkRecord {
  readonly device: string
  /** The internal port that has them meanwhile. */
  readonly internal: string
  /** Value of net.ipv4.conf.DEVICE.arp_ignore. */
  readonly arpIgnore: string | undefined
  /** Arguments of `ip address add`, without the device. */
  readonly addresses: readonly (readonly string[])[]
  /** Arguments of `ip route add`, without the device, in the order they were found. */
  readonly routes: readonly (readonly string[])[]
}

export type LedgerEntry =
  | { readonly kind: 'namespace'; readonly name: string; readonly identity: Identity | undefined }
  | { readonly kind: 'directory'; readonly path: string }
  /** A file whose first line says that it is ours. */
  | { readonly kind: 'file'; readonly path: string }
  /** A device that was down and has been taken up. */
  | { readonly kind: 'link'; readonly device: string }
  | ({ readonly kind: 'uplink' } & UplinkRecord)

interface Contents {
  readonly version: 1
  /** Entries of an earlier boot speak of things that no longer exist. */
  readonly boot: string
  readonly pid: number
  readonly entries: readonly LedgerEntry[]
}

export const LEDGER_FILE = 'ledger.json'

export function entryKey(entry: LedgerEntry): string {
  if (entry.kind === 'uplink' || entry.kind === 'link') return `${entry.kind} ${entry.device}`
  return entry.kind === 'namespace' ? `namespace ${entry.name}` : `${entry.kind} ${entry.path}`
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** undefined when there is nothing at the path. */
export function identityOf(path: string): Identity | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { dev: String(stat.dev), ino: String(stat.ino), ctime: String(stat.ctimeNs) }
}

export function sameIdentity(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino && a.ctime === b.ctime
}

export class Ledger {
  readonly path: string
  #entries: Map<string, LedgerEntry>
  /** Whether what was written last names something that outlives the machine's next start. */
  #kept: boolean

  private constructor(path: string, entries: readonly LedgerEntry[]) {
    this.path = path
    this.#entries = new Map(entries.map((entry) => [entryKey(entry), entry]))
    this.#kept = entries.some(outlivesBoot)
  }

  /**
   * The ledger of a run directory, with what an earlier daemon left in it.
   * @throws Error when the file is there and cannot be understood: guessing could destroy what is not ours
   */
  static open(rundir: string): Ledger {
    const path = join(rundir, LEDGER_FILE)
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Ledger(path, [])
      throw error
    }
    // Nothing in it was to outlive the end of the machine, which has come before it was on the disk.
    if (text === '') return new Ledger(path, [])
    const contents = parseContents(text)
    if (contents === undefined) throw new Error(`${path} is no ledger that this version understands`)
    const kept = contents.boot === bootId() ? contents.entries : contents.entries.filter(outlivesBoot)
    return new Ledger(path, kept)
  }

  /** Oldest first. */
  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()]
  }

  get(key: string): LedgerEntry | undefined {
    return this.#entries.get(key)
  }

  /**
   * Adds the entry or replaces the one of its key; when it returns it is as durable as what it names.
   * @throws CliError when it cannot be written; then nothing may be made
   */
  put(entry: LedgerEntry): void {
    const key = entryKey(entry)
    const before = this.#entries.get(key)
    this.#entries.set(key, entry)
    try {
      this.#write()
    } catch (error) {
      if (before === undefined) this.#entries.delete(key)
      else this.#entries.set(key, before)
      const { code, message } = error as NodeJS.ErrnoException
      throw new CliError(
        `${this.path} cannot be written: ${code === 'ENOSPC' ? 'the disk is full' : message}.`,
        {
          code: EXIT_ENVIRONMENT,
          hint: 'Make room there, or name another run directory with --rundir.',
          cause: error,
        },
      )
    }
  }

  /** Forgets an entry, after what it names is gone. */
  delete(key: string): void {
    if (!this.#entries.delete(key)) return
    try {
      this.#write()
    } catch {
      // An entry of something that is gone does no harm: whoever finds it looks, and forgets it.
    }
  }

  /**
   * Removes the file of a ledger in which nothing is left but directories of ours that others use by now:
   * they are not ours any more.
   */
  close(): void {
    if (this.entries.every((entry) => entry.kind === 'directory')) rmSync(this.path, { force: true })
  }

  #write(): void {
    const contents: Contents = { version: 1, boot: bootId(), pid: process.pid, entries: this.entries }
    const text = `${JSON.stringify(contents, null, 1)}\n`
    // What does not outlive the machine's next start need not be on the disk.
    if (this.#kept || this.entries.some(outlivesBoot)) writeDurably(this.path, text)
    else replaceFile(this.path, text, () => {})
    this.#kept = this.entries.some(outlivesBoot)
  }
}

function parseContents(text: string): Contents | undefined {
  try {
    const contents = JSON.parse(text) as Contents
    return contents.version === 1 && Array.isArray(contents.entries) ? contents : undefined
  } catch {
    return undefined
  }
}

function outlivesBoot(entry: LedgerEntry): boolean {
  return entry.kind === 'file' || entry.kind === 'directory'
}

/** Replaces a file so that whenever this process ends it has either the old or the new contents. */
function replaceFile(path: string, text: string, sync: (file: number) => void): void {
  const next = `${path}.new`
  try {
    const file = openSync(next, 'w', 0o640)
    try {
      writeSync(file, text)
      sync(file)
    } finally {
      closeSync(file)
    }
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

/** The same, whenever the machine ends. */
export function writeDurably(path: string, text: string): void {
  replaceFile(path, text, fsyncSync)
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
