/**
 * Which Geneve option is which tun_metadata field of a bridge (NXT_TLV_TABLE_MOD), and where it lies in the
 * words of a flow. An option takes words of W_TUN_METADATA that lie together, and a bit that tells whether the
 * packet has it; who matches on an option or a part of it matches on that bit too.
 */
import { W_TUN_METADATA, W_TUN_PRESENT } from '../../protocols/flow-key.ts'
import { FIELDS, type MetaFlowField, MFF } from '../../protocols/meta-flow.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { copyMatch, type Match, type TunMetadataMatch } from '../../protocols/openflow/match.ts'
import type { TlvMap, TlvTableMod, TlvTableReply } from '../../protocols/openflow/tlv-table.ts'

const MAX_FIELDS = 64
/** Bytes of all options together, and as words. */
const MAX_SPACE = 256
const WORDS = MAX_SPACE / 4
const MIN_LENGTH = 4
const MAX_LENGTH = 124
const FIRST = MFF.tun_metadata0

interface Option {
  readonly map: TlvMap
  /** Its first word in W_TUN_METADATA. */
  readonly at: number
}

export class TlvTable {
  #options: readonly Option[] = []
  /** FIELDS, but tun_metadata fields that have an option are as long as it is and lie where it lies. */
  fields: readonly MetaFlowField[] = FIELDS

  get size(): number {
    return this.#options.length
  }

  describe(): TlvTableReply {
    return { maxOptionSpace: MAX_SPACE, maxFields: MAX_FIELDS, maps: this.#options.map(({ map }) => map) }
  }

  /** Carries a change out, or tells why not and changes nothing. `used` tells what rules depend on. */
  modify({ command, maps }: TlvTableMod, used: (index: number) => boolean): OfErrorName | undefined {
    let options: readonly Option[] | OfErrorName
    if (command === 'add') options = added(this.#options, maps)
    else {
      const goes = ({ map }: Option) => command === 'clear' || maps.some(({ index }) => index === map.index)
      if (this.#options.some((o) => goes(o) && used(o.map.index))) return 'NXTTMFC_INVALID_TLV_DEL'
      options = this.#options.filter((o) => !goes(o))
    }
    if (typeof options === 'string') return options
    this.#options = options
    const fields = [...FIELDS]
    for (const { map, at } of options) {
      const { index, optionLength: bytes } = map
      const bits = bytes * 8
      const place = { at: (W_TUN_METADATA + at) * 32, width: bits, bits, bytes, variable: false }
      fields[FIRST + index] = { ...FIELDS[FIRST + index], ...place }
    }
    this.fields = options.length === 0 ? FIELDS : fields
    return undefined
  }

  /** A match with its options in words; an error for options that have none, or not as many. */
  inWords(match: Match): Match | OfErrorName {
    const { tunMetadata } = match
    if (tunMetadata === undefined || tunMetadata.length === 0) return match
    const { value, mask } = copyMatch(match)
    for (const entry of tunMetadata) {
      const option = this.#options.find(({ map }) => map.index === entry.index)
      if (option === undefined) return 'NXFMFC_INVALID_TLV_FIELD'
      const length = option.map.optionLength
      if (!fits(entry, length)) return 'OFPBMC_BAD_LEN'
      putBytes(value, option.at, length, entry.value)
      if (entry.mask !== undefined) putBytes(mask, option.at, length, entry.mask)
      else if (entry.value.length > 0) mask.fill(0xffff_ffff, wordOf(option), wordOf(option) + length / 4)
      setPresent(value, entry.index)
      setPresent(mask, entry.index)
    }
    return { value, mask }
  }

  /** The same the other way round. */
  asOptions(match: Match): Match {
    if (match.mask[W_TUN_PRESENT] === 0 && match.mask[W_TUN_PRESENT + 1] === 0) return match
    const out = copyMatch(match)
    const tunMetadata: TunMetadataMatch[] = []
    for (const option of this.#options) {
      const { index, optionLength } = option.map
      if (!isPresent(match.mask, index) || !isPresent(match.value, index)) continue
      const value = getBytes(match.value, option.at, optionLength)
      const mask = getBytes(match.mask, option.at, optionLength)
      tunMetadata.push(mask.every((b) => b === 0xff) ? { index, value } : { index, value, mask })
    }
    for (const words of [out.value, out.mask]) {
      words.fill(0, W_TUN_METADATA, W_TUN_METADATA + WORDS)
      words.fill(0, W_TUN_PRESENT, W_TUN_PRESENT + 2)
    }
    out.tunMetadata = tunMetadata.sort((a, b) => a.index - b.index)
    return out
  }
}

function added(present: readonly Option[], maps: readonly TlvMap[]): readonly Option[] | OfErrorName {
  const all = [...present]
  for (const map of maps) {
    const { optionLength, index, optionClass, optionType } = map
    if (optionLength < MIN_LENGTH || optionLength > MAX_LENGTH || optionLength % 4 !== 0) {
      return 'NXTTMFC_BAD_OPT_LEN'
    }
    if (index >= MAX_FIELDS) return 'NXTTMFC_BAD_FIELD_IDX'
    if (all.some((o) => o.map.index === index)) return 'NXTTMFC_ALREADY_MAPPED'
    const same = (o: Option) => o.map.optionClass === optionClass && o.map.optionType === optionType
    if (all.some(same)) return 'NXTTMFC_DUP_ENTRY'
    const at = roomFor(all, optionLength / 4)
    if (at === undefined) return 'NXTTMFC_TABLE_FULL'
    all.push({ map, at })
  }
  return all.sort((a, b) => a.map.index - b.map.index)
}

function roomFor(options: readonly Option[], words: number): number | undefined {
  let at = 0
  for (const o of [...options].sort((a, b) => a.at - b.at)) {
    if (o.at - at >= words) return at
    at = o.at + o.map.optionLength / 4
  }
  return at + words <= WORDS ? at : undefined
}

function wordOf({ at }: Option): number {
  return W_TUN_METADATA + at
}

/** Whether what is longer than the option has only zeros before it. */
function fits({ value, mask }: TunMetadataMatch, length: number): boolean {
  return [value, mask].every((b) => b === undefined || b.subarray(0, -length).every((x) => x === 0))
}

/** Bytes lie against the end of the option. */
function putBytes(words: Uint32Array, at: number, length: number, bytes: Uint8Array): void {
  for (let i = 1; i <= Math.min(length, bytes.length); i++) {
    const byte = length - i
    words[W_TUN_METADATA + at + (byte >>> 2)] |= bytes[bytes.length - i] << (24 - 8 * (byte & 3))
  }
}

function getBytes(words: Uint32Array, at: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => words[W_TUN_METADATA + at + (i >>> 2)] >>> (24 - 8 * (i & 3)))
}

function isPresent(words: Uint32Array, index: number): boolean {
  return ((words[W_TUN_PRESENT + (index >>> 5)] >>> (index & 31)) & 1) === 1
}

/** @param index 0 to 63 */
export function setPresent(words: Uint32Array, index: number): void {
  words[W_TUN_PRESENT + (index >>> 5)] |= 1 << (index & 31)
}

export function clearPresent(words: Uint32Array, index: number): void {
  words[W_TUN_PRESENT + (index >>> 5)] &= ~(1 << (index & 31))
}

/** Which tun_metadata a field is, or -1. */
export function tunnelOption(field: number): number {
  return field >= FIRST && field < FIRST + MAX_FIELDS ? field - FIRST : -1
}
