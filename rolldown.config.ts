/**
 * Makes of each program few files in dist/program, so that it starts soon: one with what it always needs, and what it
 * loads later apart.
 */
import { defineConfig, type Plugin } from 'rolldown'

const PROGRAMS = {
  'vswitchd-ts': 'src/cli/main.ts',
  worker: 'engine/worker.ts',
  'ovs-vswitchd': 'src/ovs-vswitchd/main.ts',
  'ovsdb-server': 'src/ovsdb-server/main.ts',
  'bench-memory': 'bench/pipeline/main.ts',
}

const COMMON = {
  platform: 'node',
  logLevel: 'warn',
  // The native code that koffi finds for the machine; a package that looks for what is around it.
  external: [/^@koromix\//, 'benchmark'],
  // Of a package that has both, what can be seen through.
  resolve: { mainFields: ['module', 'main'] },
} as const

const OUTPUT = { dir: 'dist/program', format: 'cjs', sourcemap: true, comments: false } as const

/** The files of a program are read at each start: of one byte a character, and the function that load.ts calls. */
const PART = {
  ...OUTPUT,
  entryFileNames: '[name].[hash].js',
  chunkFileNames: '[name].[hash].js',
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  postBanner: '(function (exports, require, module, __filename, __dirname) {',
  postFooter: '\n})',
} as const

/**
 * How V8 compiles a program where it should not do as usual. Large transactions come seldom: to put small functions into
 * those that call them takes longer than it saves, and twice as long when the first such transaction comes.
 */
const V8_FLAGS: Readonly<Record<string, string>> = {
  'ovsdb-server': '--max-inlined-bytecode-size-cumulative=200',
}

/** What is run of a program is a line that loads it (src/bundle/load.ts). */
function starter(name: string): Plugin {
  return {
    name: 'starter',
    generateBundle(_, bundle) {
      const main = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry)!
      const flags = V8_FLAGS[name]
      const prepare = flags === undefined ? '' : `require('node:v8').setFlagsFromString('${flags}')\n`
      const source = `${prepare}require('./load.js').load(require.resolve('./${main.fileName}'))\n`
      this.emitFile({ type: 'asset', fileName: `${name}.js`, source })
    },
  }
}

const programs = Object.entries(PROGRAMS).map(([name, input]) => ({
  ...COMMON,
  input: { [name]: input },
  plugins: [starter(name)],
  output: PART,
}))

const loader = {
  ...COMMON,
  input: 'src/bundle/load.ts',
  plugins: [
    {
      name: 'kind of modules',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' })
      },
    } satisfies Plugin,
  ],
  // It comes first, and takes away what is of earlier builds.
  output: { ...OUTPUT, entryFileNames: 'load.js', cleanDir: true },
}

export default defineConfig([loader, ...programs])
