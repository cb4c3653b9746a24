/** Geneve options in tun_metadata: NXT_TLV_TABLE_MOD, _REQUEST, _REPLY. */

export interface TlvMap {
  optionClass: number
  optionType: number
  /** Bytes: a multiple of 4, 4 to 124. */
  optionLength: number
  /** Which tun_metadata: 0 to 63. */
  index: number
}

export interface TlvTableMod {
  command: 'add' | 'delete' | 'clear'
  maps: readonly TlvMap[]
}

export interface TlvTableReply {
  /** Bytes that all options together may have. */
  maxOptionSpace: number
  maxFields: number
  maps: readonly TlvMap[]
}
