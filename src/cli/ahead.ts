/** Imported before all else: what takes longest of a start is on its way while the rest is loaded. */
import { loadAhead } from '../../engine/dpif-worker.ts'

if (process.argv[2] === 'start') loadAhead()
