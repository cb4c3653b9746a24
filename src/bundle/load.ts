/**
 * Runs a program of dist/program (rolldown.config.ts). V8 takes most of the time of a start to compile it; the first
 * who has done so leaves what came out beside the file, for those who come later, as Python does. They do without where
 * it was not this V8 that has made it; and it is never of another version of the file, whose name has a hash in it.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { settled } from '../../engine/settled.ts'

const COMPILED = '.compiled'
/** Stands beside a program's first file when somebody who was up has left all that a start needs. */
const SETTLED = '.settled'

/** What has been compiled here, by file. */
const fresh = new Map<string, Script>()
/** What a start has loaded, until that has been left. */
const scripts = new Map<string, Script>()
const loaded = new Map<string, { exports: unknown }>()
/** All files of a program lie side by side, so that what is none of them is the same to all. */
let outside: NodeJS.Require | undefined

/** What a file of the program exports; those that it requires are loaded in the same way. */
export function load(file: string): unknown {
  const known = loaded.get(file)
  if (known !== undefined) return known.exports
  const script = scriptOf(file)
  const module = { exports: {} }
  loaded.set(file, module)
  const directory = dirname(file)
  outside ??= createRequire(file)
  const other = outside
  const require = (name: string) => (name.startsWith('./') ? load(join(directory, name)) : other(name))
  script.runInThisContext()(module.exports, Object.assign(require, other), module, file, directory)
  return module.exports
}

/** A file: a function of what a module finds around it, in ASCII, which is read soonest as bytes. */
function scriptOf(file: string): Script {
  const source = read(file).toString('latin1')
  const cachedData = compiledForm(file)
  const script = new Script(source, {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  if (cachedData === undefined || script.cachedDataRejected) fresh.set(file, script)
  scripts.set(file, script)
  return script
}

function compiledForm(file: string): Buffer | undefined {
  try {
    return read(file + COMPILED)
  } catch {
    return undefined
  }
}

/** All files are read into this: to touch new memory takes longer than to read it. */
let memory = Buffer.allocUnsafeSlow(1 << 20)

/** What a file holds, until the next is read. */
function read(file: string): Buffer {
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size > memory.length) memory = Buffer.allocUnsafeSlow(size)
    return memory.subarray(0, readSync(fd, memory, 0, size, 0))
  } finally {
    closeSync(fd)
  }
}

/**
 * When all has been compiled that a start needs, and of what is loaded later at the end. What is compiled for other
 * things would have to be read by every start. Several may do it at once.
 * @returns whether nothing is left to do
 */
function leaveCompiled(): boolean {
  for (const [file, script] of fresh) {
    const unfinished = `${file}.${process.pid}`
    try {
      // Not everybody who may run it may write there: what is written takes long to make.
      const fd = openSync(unfinished, 'w', 0o644)
      try {
        writeFileSync(fd, script.createCachedData())
      } finally {
        closeSync(fd)
      }
      renameSync(unfinished, file + COMPILED)
      fresh.delete(file)
    } catch {
      rmSync(unfinished, { force: true })
      return false
    }
  }
  return true
}

/** Whoever came before may have ended, or failed, before it had compiled what a start needs: once all is left anew. */
function leaveSettled(): void {
  settled.unsubscribe(leaveSettled)
  const [first] = scripts.keys()
  if (first === undefined) return
  const mark = first + SETTLED
  const known = existsSync(mark)
  if (!known) for (const [file, script] of scripts) fresh.set(file, script)
  scripts.clear()
  if (!leaveCompiled() || known) return
  try {
    writeFileSync(mark, '')
  } catch {
    // As above.
  }
}

settled.subscribe(leaveSettled)
process.once('exit', leaveCompiled)
