import { readFileSync } from 'node:fs'
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

/** How long what a command has left open may keep the process alive. */
const LINGER_MS = 3000

process.exitCode = await run(process.argv.slice(2), version, () => import('../daemon/daemon.ts'))
setTimeout(() => process.exit(), LINGER_MS).unref()
