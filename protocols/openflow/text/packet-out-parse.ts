/** Packet-outs from text: `in_port=1 packet=5054… actions=normal`, as ovs-ofctl packet-out reads them. */

import { W_IN_PORT } from '../../flow-key.ts'
import { NO_BUFFER } from '../flow-mod.ts'
import { matchInPort, setMatchBits } from '../match.ts'
import { metadataOfPort, type PacketOut } from '../packet-out.ts'
import { OFPP_NONE } from '../port.ts'
import { parseActions } from './action-parse.ts'
import { MatchParser } from './match-parse.ts'
import { type NameMaps, parsePort } from './names.ts'
import { keyValues, parseHexBytes, syntaxError } from './scan.ts'

/** Throws FlowSyntaxError. */
export function parsePacketOut(text: string, names?: NameMaps): PacketOut {
  const at = /action[^=]*=/.exec(text)
  if (at === null) return syntaxError('must specify actions')
  const match = new MatchParser(names)
  let packet: Uint8Array | undefined
  let inPort: number | undefined
  for (const [key, value] of keyValues(text.slice(0, at.index))) {
    if (value === '') syntaxError(`field ${key} missing value`)
    if (key === 'in_port')
      inPort = parsePort(value, names) ?? syntaxError(`${value} is not a valid OpenFlow port`)
    else if (key === 'packet') {
      packet = parseHexBytes(value, 'packet')
      if (packet.length < 14) syntaxError('Missing or too short packet data')
    } else if (!match.take(key, value)) syntaxError(`unknown keyword ${key}`)
  }
  if (packet === undefined) return syntaxError('must specify packet')
  const metadata = metadataOfPort(inPort ?? OFPP_NONE)
  const more = match.finish()
  for (let i = 0; i < more.mask.length; i++) setMatchBits(metadata, i, more.value[i], more.mask[i])
  setMatchBits(metadata, W_IN_PORT, inPort ?? matchInPort(more) ?? OFPP_NONE, 0xffff_ffff)
  const actions = parseActions(text.slice(at.index + at[0].length), names, { instructions: false })
  return { packet, bufferId: NO_BUFFER, metadata, actions }
}
