/** What ovs-ofctl's `watch:` asks of a flow monitor: `watch:!initial,table=1,tcp`. */

import { OFPG_ANY, OFPTT_ALL } from '../flow-mod.ts'
import {
  type FlowMonitorRequest,
  FMF_ADD,
  FMF_INITIAL,
  FMF_INSTRUCTIONS,
  FMF_MODIFY,
  FMF_NO_ABBREV,
  FMF_ONLY_OWN,
  FMF_REMOVED,
} from '../monitor.ts'
import { OFPP_NONE } from '../port.ts'
import { MatchParser } from './match-parse.ts'
import { type NameMaps, parsePort, parseTable } from './names.ts'
import { keyValues, parseUint, syntaxError } from './scan.ts'

const EXCLUSIONS: Readonly<Record<string, number>> = {
  '!initial': FMF_INITIAL,
  '!add': FMF_ADD,
  '!delete': FMF_REMOVED,
  '!modify': FMF_MODIFY,
  '!actions': FMF_INSTRUCTIONS,
  '!abbrev': 0,
  '!own': FMF_ONLY_OWN | FMF_NO_ABBREV,
}

/** Throws FlowSyntaxError. */
export function parseFlowMonitor(text: string, id: number, names?: NameMaps): FlowMonitorRequest {
  const match = new MatchParser(names)
  let flags =
    FMF_INITIAL | FMF_ADD | FMF_REMOVED | FMF_MODIFY | FMF_INSTRUCTIONS | FMF_NO_ABBREV | FMF_ONLY_OWN
  let table = OFPTT_ALL
  let outPort = OFPP_NONE
  let outGroup = OFPG_ANY
  for (const [key, value] of keyValues(text)) {
    if (Object.hasOwn(EXCLUSIONS, key)) flags &= ~EXCLUSIONS[key]
    else if (match.take(key, value)) continue
    else if (value === '') syntaxError(`${text}: field ${key} missing value`)
    else if (key === 'table') table = parseTable(value, names) ?? syntaxError(`unknown table "${value}"`)
    else if (key === 'out_port')
      outPort = parsePort(value, names) ?? syntaxError(`${value} is not a valid port`)
    else if (key === 'out_group') outGroup = parseUint(value, 32, key)
    else syntaxError(`${text}: unknown keyword ${key}`)
  }
  return { id, command: 'add', flags, outPort, outGroup, table, match: match.finish() }
}
