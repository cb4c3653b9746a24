/** A loop in C that reads and writes frames and does nothing else, built where there is a compiler. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { betweenTaps, TAPS } from './between-taps.ts'
import { lacking, type Peer } from './peer.ts'

const SOURCE = fileURLToPath(new URL('../../../bench/peers/copy-loop.c', import.meta.url))
const PROGRAM = '/run/copy-loop'

export const copyLoop: Peer = {
  name: 'C, read()/write(), no switch, tap',
  missing: lacking('cc'),
  start: () => {
    if (!existsSync(PROGRAM)) execFileSync('cc', ['-O2', '-o', PROGRAM, SOURCE])
    return betweenTaps(spawn(PROGRAM, TAPS, { stdio: 'ignore' }))
  },
}
