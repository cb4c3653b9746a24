import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const MAX_LINES = 400

interface Source {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  /** Without comments and string literals. */
  readonly code: string
  /** What it imports: paths from the root, or names of packages. */
  readonly imports: readonly string[]
}

function load(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const specifiers = [
    ...text.matchAll(
      /^\s*(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)|^import '([^']+)'/gm,
    ),
  ]
  const imports = specifiers
    .map((m) => m[1] ?? m[2] ?? m[3])
    .map((s) => (s.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), s)) : s))
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '')
  return { path, text, code, imports }
}

function sourcesUnder(room: string): Source[] {
  return readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts'))
    .map((e) => load(relative(ROOT, join(e.parentPath, e.name))))
}

const protocols = sourcesUnder('protocols')
const engine = sourcesUnder('engine')
const src = sourcesUnder('src')
const program = [...protocols, ...engine, ...src]

/** "file: what is wrong" for every file of which `wrong` says something. */
function offences(sources: readonly Source[], wrong: (s: Source) => readonly string[]): string[] {
  return sources.flatMap((s) => wrong(s).map((w) => `${s.path}: ${w}`))
}

const startsWithAny = (path: string, rooms: readonly string[]) => rooms.some((r) => path.startsWith(r))

test('the test sees the program', () => {
  expect(protocols.length).toBeGreaterThan(20)
  expect(engine.length).toBeGreaterThan(50)
  expect(src.length).toBeGreaterThan(20)
  expect(engine.flatMap((s) => s.imports).filter((i) => i.startsWith('protocols/')).length).toBeGreaterThan(
    20,
  )
})

describe('imports go downwards only', () => {
  const inRooms = /^(protocols|engine|src|test|bench)\//

  test.each([
    ['protocols', protocols, ['protocols/']],
    ['engine', engine, ['engine/', 'protocols/']],
    ['src', src, ['src/', 'engine/', 'protocols/']],
  ] as const)('%s', (_room, sources, allowed) => {
    const wrong = (s: Source) => s.imports.filter((i) => inRooms.test(i) && !startsWithAny(i, allowed))
    expect(offences(sources, wrong)).toEqual([])
  })

  test('protocols know neither Node nor any package', () => {
    expect(offences(protocols, (s) => s.imports.filter((i) => !i.startsWith('protocols/')))).toEqual([])
  })

  // From the bottom up: a sub-room of the engine imports none that stands after its own line.
  const LAYERS = [
    ['engine/memory/', 'engine/sys/'],
    ['engine/flow/'],
    [
      'engine/netdev/',
      'engine/actions/',
      'engine/classifier/',
      'engine/tables/',
      'engine/ofproto/',
      'engine/qos/',
    ],
    ['engine/conntrack/', 'engine/router/'],
  ]
  const layerOf = (path: string) => LAYERS.findIndex((rooms) => startsWithAny(path, rooms))

  test('sub-rooms of the engine', () => {
    const wrong = (s: Source) => s.imports.filter((i) => layerOf(s.path) >= 0 && layerOf(i) > layerOf(s.path))
    expect(offences(engine, wrong)).toEqual([])
  })

  test('wire formats know no protocol', () => {
    const wire = protocols.filter((s) => s.path.startsWith('protocols/wire/'))
    const bottom = /^protocols\/(wire\/|time\.ts|random\.ts)/
    expect(offences(wire, (s) => s.imports.filter((i) => !bottom.test(i)))).toEqual([])
  })
})

describe('danger has one home', () => {
  test('system calls', () => {
    const others = program.filter((s) => !s.path.startsWith('engine/sys/'))
    expect(offences(others, (s) => s.imports.filter((i) => i === 'koffi'))).toEqual([])
    expect(program.some((s) => s.imports.includes('koffi'))).toBe(true)
  })

  test('only the dataplane thread and its door know of threads', () => {
    const threads = program.filter((s) => s.imports.includes('node:worker_threads')).map((s) => s.path)
    expect(threads.sort()).toEqual(['engine/dpif-thread.ts', 'engine/dpif-worker.ts', 'engine/worker.ts'])
  })

  const CLOCK = /\b(?:Date\.now|performance\.now|process\.hrtime|new Date\(\s*\))/g
  const CHANCE = /\b(?:Math\.random|randomBytes|randomInt|getRandomValues|randomUUID)\b/g
  const TIMERS = /\b(?:setTimeout|setInterval)\b/g
  const find = (pattern: RegExp) => (s: Source) => s.code.match(pattern) ?? []

  test.each([
    ['clock', CLOCK],
    ['chance', CHANCE],
    ['timers', TIMERS],
  ])('%s: none in protocols, and in the engine only in sys', (_name, pattern) => {
    expect(offences(protocols, find(pattern))).toEqual([])
    expect(
      offences(
        engine.filter((s) => !s.path.startsWith('engine/sys/')),
        find(pattern),
      ),
    ).toEqual([])
  })

  test('the control plane has neither clock nor chance of its own', () => {
    expect(offences(src, find(CLOCK))).toEqual([])
    expect(offences(src, find(CHANCE))).toEqual([])
  })

  // Protocols are driven by the scheduler; the others wait for people, for devices, for the end and for calm.
  const TIMER_HOMES = [
    'src/services/scheduler.ts',
    'src/daemon/port-watch.ts',
    'src/daemon/rates.ts',
    'src/cli/commands/',
    'src/cli/carry.ts',
    'src/bundle/later.ts',
  ]

  test('timers of the control plane', () => {
    const others = src.filter((s) => !startsWithAny(s.path, TIMER_HOMES))
    expect(offences(others, find(TIMERS))).toEqual([])
  })
})

test(`no file of the program is longer than ${MAX_LINES} lines`, () => {
  const lines = (s: Source) => s.text.split('\n').length - 1
  const wrong = (s: Source) => (lines(s) > MAX_LINES ? [`${lines(s)} lines`] : [])
  expect(offences(program, wrong)).toEqual([])
})

test('files are named in kebab-case', () => {
  const named = /^[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/
  expect(program.map((s) => s.path.split('/').at(-1)!).filter((name) => !named.test(name))).toEqual([])
})
