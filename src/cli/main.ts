import { readFileSync } from 'node:fs'
import { exitWith } from './carry.ts'
import { run } from './run.ts'

/** The version stands in package.json, beside dist/. */
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

exitWith(await run(process.argv.slice(2), version, () => import('../daemon/run-daemon.ts')))
