/** The words in which our schemas are written. What they make is a schema as in RFC 7047 §3.2, JSON. */

export type BaseTypeJson =
  | 'integer'
  | 'real'
  | 'boolean'
  | 'string'
  | {
      readonly type: 'integer' | 'real' | 'boolean' | 'string' | 'uuid'
      readonly enum?: readonly ['set', readonly string[]]
      readonly minInteger?: number
      readonly maxInteger?: number
      readonly refTable?: string
      readonly refType?: 'strong' | 'weak'
    }

export interface ColumnJson {
  readonly type:
    | BaseTypeJson
    | {
        readonly key: BaseTypeJson
        readonly value?: BaseTypeJson
        readonly min?: number
        readonly max?: number | 'unlimited'
      }
  readonly mutable?: boolean
  readonly ephemeral?: boolean
}

export interface TableJson {
  readonly columns: Readonly<Record<string, ColumnJson>>
  readonly isRoot?: boolean
  readonly maxRows?: number
  readonly indexes?: readonly (readonly string[])[]
}

export interface SchemaJson {
  readonly name: string
  readonly version: string
  readonly tables: Readonly<Record<string, TableJson>>
}

const MAX_UINT32 = 0xffff_ffff

/** An integer within bounds, both included. */
export function integer(minInteger: number, maxInteger?: number): BaseTypeJson {
  return { type: 'integer', minInteger, ...(maxInteger === undefined ? {} : { maxInteger }) }
}

export const uint32 = integer(0, MAX_UINT32)
/** A VLAN id as Open vSwitch bounds it. */
export const vlan = integer(0, 4095)

export function oneOf(...words: readonly string[]): BaseTypeJson {
  return { type: 'string', enum: ['set', words] }
}

/** A reference that keeps the row it points to alive. */
export function strong(refTable: string): BaseTypeJson {
  return { type: 'uuid', refTable }
}

/** A reference that vanishes with the row it points to. */
export function weak(refTable: string): BaseTypeJson {
  return { type: 'uuid', refTable, refType: 'weak' }
}

export function one(type: BaseTypeJson): ColumnJson {
  return { type: typeof type === 'string' ? type : { key: type } }
}

export function optional(key: BaseTypeJson): ColumnJson {
  return { type: { key, min: 0, max: 1 } }
}

export function set(key: BaseTypeJson, min = 0, max: number | 'unlimited' = 'unlimited'): ColumnJson {
  return { type: { key, min, max } }
}

export function map(key: BaseTypeJson, value: BaseTypeJson): ColumnJson {
  return { type: { key, value, min: 0, max: 'unlimited' } }
}

export const text = one('string')
export const flag = one('boolean')
export const count = one('integer')
export const words = map('string', 'string')
export const counters = map('string', 'integer')

export function immutable(column: ColumnJson): ColumnJson {
  return { ...column, mutable: false }
}

/** Not worth keeping over a restart of the server. */
export function ephemeral(column: ColumnJson): ColumnJson {
  return { ...column, ephemeral: true }
}
