/** Which Geneve option is which tun_metadata field (NXT_TLV_TABLE_MOD); one table for the bridge, as in Open vSwitch. */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { TlvMap, TlvTableMod, TlvTableReply } from '../../protocols/openflow/tlv-table.ts'

const MAX_FIELDS = 64
/** Bytes of all options together. */
const MAX_SPACE = 256
const MIN_LENGTH = 4
const MAX_LENGTH = 124

export class TlvTable {
  #maps: readonly TlvMap[] = []

  describe(): TlvTableReply {
    return { maxOptionSpace: MAX_SPACE, maxFields: MAX_FIELDS, maps: this.#maps }
  }

  /** Carries a change out, or tells why not and changes nothing. */
  modify({ command, maps }: TlvTableMod): OfErrorName | undefined {
    if (command === 'clear') {
      this.#maps = []
      return undefined
    }
    const result = command === 'add' ? add(this.#maps, maps) : remove(this.#maps, maps)
    if (typeof result === 'string') return result
    this.#maps = result
    return undefined
  }
}

function sameOption(a: TlvMap, b: TlvMap): boolean {
  return a.optionClass === b.optionClass && a.optionType === b.optionType
}

function add(present: readonly TlvMap[], more: readonly TlvMap[]): readonly TlvMap[] | OfErrorName {
  const all = [...present]
  for (const map of more) {
    const { optionLength, index } = map
    if (optionLength < MIN_LENGTH || optionLength > MAX_LENGTH || optionLength % 4 !== 0)
      return 'NXTTMFC_BAD_OPT_LEN'
    if (index >= MAX_FIELDS) return 'NXTTMFC_BAD_FIELD_IDX'
    if (all.some((other) => other.index === index)) return 'NXTTMFC_ALREADY_MAPPED'
    if (all.some((other) => sameOption(other, map))) return 'NXTTMFC_DUP_ENTRY'
    all.push(map)
    if (all.reduce((bytes, m) => bytes + m.optionLength, 0) > MAX_SPACE) return 'NXTTMFC_TABLE_FULL'
  }
  return all.sort((a, b) => a.index - b.index)
}

/** What is not there is removed already. */
function remove(present: readonly TlvMap[], gone: readonly TlvMap[]): readonly TlvMap[] {
  return present.filter((map) => !gone.some((other) => sameOption(other, map)))
}
