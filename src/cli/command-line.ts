/** Runs the command line that the process has been given. */
import { VERSION } from '../daemon/version.ts'
import { exitWith } from './carry.ts'
import { parent } from './parent.ts'
import { run } from './run.ts'

// A reader that has seen enough (`| head`) is no error. In the background there is none.
if (parent === undefined) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}

void run(process.argv.slice(2), VERSION, () => import('../daemon/run-daemon.ts')).then((code) => {
  parent?.exit(code)
  exitWith(code)
})
