/** encap() and decap() from text. */

import type { EncapProperty, OfAction } from '../action.ts'
import { ENCAP_MD_TYPE, ENCAP_TLV } from './action-format.ts'
import { keyValues, parseHexBytes, parseUint, syntaxError } from './scan.ts'

const HEADERS: Readonly<Record<string, number>> = {
  ethernet: 0,
  nsh: 0x1_894f,
  mpls: 0x1_8847,
  mpls_mc: 0x1_8848,
}
/** OFPPPC_NSH. */
const CLASS_NSH = 4

function property(key: string, value: string): EncapProperty {
  if (key === 'md_type') {
    const type = parseUint(value, 8, key)
    if (type < 1 || type > 2) return syntaxError('invalid md_type')
    return { class: CLASS_NSH, type: ENCAP_MD_TYPE, data: Uint8Array.of(type) }
  }
  const m = /^0x([0-9a-fA-F]{1,4}),(\d{1,3}),0x([0-9a-fA-F]{1,251})$/.exec(value)
  if (m === null) return syntaxError(`Invalid NSH TLV header: ${value}`)
  const bytes = parseHexBytes(m[3].length % 2 === 0 ? m[3] : m[3].slice(0, -1), 'TLV')
  const tlvClass = Number.parseInt(m[1], 16)
  const data = new Uint8Array(4 + ((bytes.length + 7) & ~7))
  data.set([tlvClass >>> 8, tlvClass, Number(m[2]), bytes.length])
  data.set(bytes, 4)
  return { class: CLASS_NSH, type: ENCAP_TLV, data }
}

export function parseEncap(arg: string): OfAction {
  const first = keyValues(arg).next()
  if (first.done === true) return syntaxError(`Missing encap hdr: ${arg}`)
  const [key, value] = first.value
  if (!Object.hasOwn(HEADERS, key)) return syntaxError(`Encap hdr not supported: ${key}`)
  const properties: EncapProperty[] = []
  for (const [k, v] of keyValues(value)) {
    if (key !== 'nsh' || (k !== 'md_type' && k !== 'tlv')) return syntaxError(`Invalid property: ${k}`)
    properties.push(property(k, v))
  }
  return { type: 'encap', packetType: HEADERS[key], properties }
}

export function parseDecap(arg: string): OfAction {
  const first = keyValues(arg).next()
  if (first.done === true) return { type: 'decap', packetType: 0xfffe }
  const [key, value] = first.value
  if (key !== 'packet_type') return syntaxError(`Invalid decap argument: ${key}`)
  const [ns, type] = [...keyValues(value)]
  if (ns?.[0] !== 'ns') return syntaxError('Missing packet_type attribute ns')
  if (type?.[0] !== 'type') return syntaxError('Missing packet_type attribute type')
  const n = parseUint(ns[1], 16, 'ns')
  if (n > 4) return syntaxError(`Unsupported ns value: ${n}`)
  return { type: 'decap', packetType: n * 0x1_0000 + parseUint(type[1], 16, 'type') }
}
