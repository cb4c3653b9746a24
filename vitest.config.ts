import { dirname, join, relative, resolve } from 'node:path'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const ROOT = import.meta.dirname

/** Modules of the program, compiled: Node links them itself. */
const COMPILED = /\/dist\/(protocols|engine|src)\//

/**
 * Imports of the program lead to what the compiler has made of it, which is there when all tests are run (`npm test`).
 * In what vitest makes of sources each call to another module looks it up first; that takes half as long again, and
 * twice as long where most of it is the dataplane's.
 */
const compiledProgram: Plugin = {
  name: 'compiled program',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return undefined
    const file = relative(ROOT, resolve(dirname(importer), source))
    const program = /^((?:protocols|engine|src)\/.*)\.ts$/.exec(file)
    return program === null ? undefined : join(ROOT, 'dist', `${program[1]}.js`)
  },
}
const plugins = process.env.TEST_COMPILED === undefined ? [] : [compiledProgram]
const server = { deps: { external: [COMPILED] } }

// Two projects, one after the other: what runs in memory, on every processor (vitest by itself leaves one idle, half of
// two), then what makes namespaces, each file in a world of its own. The latter depend on real time and real programs:
// while one waits another can use the processor, and one that fails is tried again, twice.
export default defineConfig({
  test: {
    projects: [
      {
        plugins,
        test: {
          name: 'memory',
          server,
          setupFiles: 'test/support/setup.ts',
          include: ['test/**/*.test.ts'],
          exclude: ['test/system/**', 'node_modules/**', 'dist/**'],
          // A million of anything takes long on a machine that does other things as well.
          testTimeout: 240_000,
          hookTimeout: 120_000,
          maxWorkers: '100%',
          // Files share a worker's modules: to load them again for each is a third of the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins,
        test: {
          name: 'system',
          server,
          setupFiles: 'test/support/setup.ts',
          include: ['test/system/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
          isolate: false,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
