/** Runs the command line that the process has been given. */
import { VERSION } from '../daemon/version.ts'
import { exitWith } from './carry.ts'
import { endWhenUnread } from './output.ts'
import { parent } from './parent.ts'
import { run } from './run.ts'

// In the background there is no reader.
if (parent === undefined) endWhenUnread()

void run(process.argv.slice(2), VERSION, () => import('../daemon/run-daemon.ts')).then((code) => {
  parent?.exit(code)
  exitWith(code)
})
