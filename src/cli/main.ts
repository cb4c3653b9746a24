/** What takes longest of a start is on its way before anything else is loaded. */
import { loadAhead } from '../../engine/dpif-worker.ts'

if (process.argv[2] === 'start') loadAhead()
void import('./command-line.ts')
