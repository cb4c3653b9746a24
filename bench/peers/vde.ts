/** vde_switch: a learning switch in userspace, between two TAPs. */
import { spawn } from 'node:child_process'
import { betweenTaps, TAPS } from './between-taps.ts'
import { lacking, type Peer } from './peer.ts'

export const vde: Peer = {
  name: 'vde_switch, tap',
  missing: lacking('vde_switch'),
  start: () => {
    const taps = TAPS.flatMap((tap) => ['-t', tap])
    // Its console is its standard input, at whose end it would leave.
    return betweenTaps(
      spawn('vde_switch', ['-s', '/run/vde', ...taps], { stdio: ['pipe', 'ignore', 'ignore'] }),
    )
  },
}
