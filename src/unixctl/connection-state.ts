/** States of connections, as people write them. */
import {
  CS_ESTABLISHED,
  CS_INVALID,
  CS_NEW,
  CS_REPLY_DIR,
  CS_TRACKED,
} from '../../protocols/openflow/prerequisites.ts'
import { CT_STATES, formatFlags } from '../../protocols/openflow/text/flags.ts'
import { UnixctlError } from './command-registry.ts'

const CONTRADICTIONS: readonly (readonly [holds: (state: number) => boolean, text: string])[] = [
  [(state) => state !== 0 && (state & CS_TRACKED) === 0, 'If "trk" is unset, no other flags are set'],
  [
    (state) => (state & CS_INVALID) !== 0 && (state & ~(CS_TRACKED | CS_INVALID)) !== 0,
    'when "inv" is set, only "trk" may also be set',
  ],
  [
    (state) => (state & CS_NEW) !== 0 && (state & CS_ESTABLISHED) !== 0,
    '"new" and "est" are mutually exclusive',
  ],
  [
    (state) => (state & CS_NEW) !== 0 && (state & CS_REPLY_DIR) !== 0,
    '"new" and "rpy" are mutually exclusive',
  ],
]

/** `trk,est`, as `--ct-next` takes it. @throws UnixctlError */
export function connectionState(text: string | undefined): number {
  if (text === undefined) throw new UnixctlError('Missing argument for option --ct-next')
  let state = 0
  for (const word of text.split(/[, ]+/).filter((part) => part !== '')) {
    const bit = CT_STATES.indexOf(word)
    if (bit < 0) throw new UnixctlError(`${word}: unknown connection tracking state flag`)
    state |= 1 << bit
  }
  const shown = formatFlags(CT_STATES, state)
  const wrong = CONTRADICTIONS.filter(([holds]) => holds(state))
  if (wrong.length > 0) {
    throw new UnixctlError(wrong.map(([, why]) => `${shown}: invalid connection state: ${why}\n`).join(''))
  }
  return state
}
