import { defineConfig } from 'vitest/config'

// Two projects, one after the other: what runs in memory, on every processor (vitest by itself leaves one idle, half of
// two), then what makes namespaces, each file in a world of its own. The latter depend on real time and real programs;
// one that fails is tried again, twice.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'memory',
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
        test: {
          name: 'system',
          setupFiles: 'test/support/setup.ts',
          include: ['test/system/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          isolate: false,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
