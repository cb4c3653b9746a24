/** Table-mod, table descriptions and table status (vacancy events). */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { type Body, type BodyCodec, type Entry, type ListCodec, listCodec } from './message-codec.ts'
import { putU32Property, readProperty } from './properties.ts'
import { decodeTableMiss, encodeTableMiss, type TableMiss } from './table-miss.ts'
import { OF14 } from './version.ts'

export interface TableVacancy {
  /** Percent of the table that is free. */
  down: number
  up: number
  /** Now; 0 in a request. */
  vacancy: number
}

export interface TableMod {
  /** OFPTT_ALL for all. */
  table: number
  /** OpenFlow 1.1 and 1.2. Undefined: no change. */
  miss: TableMiss | undefined
  /** OpenFlow 1.4 and later. Undefined: no change. */
  eviction: boolean | undefined
  /** TMPEF_*; undefined: not given. */
  evictionFlags: number | undefined
  vacancyEvents: boolean | undefined
  vacancy: TableVacancy
}

export const TMPEF_OTHER = 1 << 0
export const TMPEF_IMPORTANCE = 1 << 1
export const TMPEF_LIFETIME = 1 << 2

export interface TableDesc {
  table: number
  eviction: boolean | undefined
  /** TMPEF_*; undefined: not told. */
  evictionFlags: number | undefined
  vacancyEvents: boolean | undefined
  vacancy: TableVacancy
}

export interface TableStatus {
  reason: 'vacancy_down' | 'vacancy_up'
  desc: TableDesc
}

const CONFIG_EVICTION = 1 << 2
const CONFIG_VACANCY = 1 << 3
const PROP_EVICTION = 2
const PROP_VACANCY = 3
const NO_VACANCY: TableVacancy = { down: 0, up: 0, vacancy: 0 }

interface Properties {
  evictionFlags: number | undefined
  vacancy: TableVacancy
}

/** `strict`: as in a table-mod, where nothing may be unknown and thresholds must make sense. */
function decodeProperties(b: Uint8Array, o: number, end: number, strict: boolean): Properties | OfFault {
  let evictionFlags: number | undefined
  let vacancy = NO_VACANCY
  while (o < end) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    o = p.next
    if (p.experimenter === 0 && p.type === PROP_EVICTION) {
      if (p.end - p.at !== 4) return fault('OFPBPC_BAD_LEN')
      evictionFlags = u32(b, p.at)
    } else if (p.experimenter === 0 && p.type === PROP_VACANCY) {
      if (p.end - p.at !== 4) return fault('OFPBPC_BAD_LEN')
      vacancy = { down: b[p.at], up: b[p.at + 1], vacancy: b[p.at + 2] }
      const sensible = vacancy.down <= vacancy.up && vacancy.up <= 100 && vacancy.vacancy === 0
      if (strict && !sensible) return fault('OFPBPC_BAD_VALUE')
    } else if (strict) return fault('OFPBRC_BAD_TYPE')
  }
  return { evictionFlags, vacancy }
}

function config(eviction: boolean | undefined, vacancyEvents: boolean | undefined): number {
  return (eviction === true ? CONFIG_EVICTION : 0) | (vacancyEvents === true ? CONFIG_VACANCY : 0)
}

function putProperties(
  w: ByteWriter,
  evictionFlags: number | undefined,
  vacancy: TableVacancy | undefined,
): void {
  if (evictionFlags !== undefined) putU32Property(w, PROP_EVICTION, evictionFlags)
  if (vacancy !== undefined) {
    w.u16(PROP_VACANCY).u16(8).u8(vacancy.down).u8(vacancy.up).u8(vacancy.vacancy).u8(0)
  }
}

export const TABLE_MOD_CODEC: BodyCodec<TableMod> = {
  decode({ b, o, end, version }) {
    const table = b[o]
    const bits = u32(b, o + 4)
    const miss = decodeTableMiss(bits, version)
    if (version < OF14) {
      return {
        table,
        miss: miss === 'default' ? undefined : miss,
        eviction: undefined,
        evictionFlags: undefined,
        vacancyEvents: undefined,
        vacancy: NO_VACANCY,
      }
    }
    const properties = decodeProperties(b, o + 8, end, true)
    if (isFault(properties)) return properties
    return {
      table,
      miss: undefined,
      eviction: (bits & CONFIG_EVICTION) !== 0,
      vacancyEvents: (bits & CONFIG_VACANCY) !== 0,
      ...properties,
    }
  },
  encode(w, m, { version }) {
    const bits =
      version < OF14 ? encodeTableMiss(m.miss ?? 'default', version) : config(m.eviction, m.vacancyEvents)
    w.u8(m.table).zeros(3).u32(bits)
    if (version >= OF14) putProperties(w, m.evictionFlags, m.vacancyEvents === true ? m.vacancy : undefined)
  },
}

function decodeDesc({ b, end }: Body, o: number): Entry<TableDesc> | OfFault {
  if (end - o < 8) return fault('OFPBRC_BAD_LEN')
  const length = u16(b, o)
  if (length < 8 || o + length > end) return fault('OFPBRC_BAD_LEN')
  const properties = decodeProperties(b, o + 8, o + length, false)
  if (isFault(properties)) return properties
  const bits = u32(b, o + 4)
  const entry: TableDesc = {
    table: b[o + 2],
    eviction: (bits & CONFIG_EVICTION) !== 0,
    vacancyEvents: (bits & CONFIG_VACANCY) !== 0,
    evictionFlags: properties.evictionFlags,
    vacancy: properties.vacancy,
  }
  return { entry, next: o + length }
}

function encodeDesc(w: ByteWriter, d: TableDesc, always = false): void {
  const start = w.length
  w.u16(0).u8(d.table).u8(0).u32(config(d.eviction, d.vacancyEvents))
  putProperties(w, d.evictionFlags, d.vacancyEvents === true || always ? d.vacancy : undefined)
  w.patch16(start, w.length - start)
}

export const TABLE_DESC_LIST: ListCodec<TableDesc> = listCodec(decodeDesc, (w, d) => encodeDesc(w, d))

const STATUS_REASONS: Readonly<Record<number, TableStatus['reason']>> = { 3: 'vacancy_down', 4: 'vacancy_up' }

export const TABLE_STATUS_CODEC: BodyCodec<TableStatus> = {
  decode(body) {
    const reason = STATUS_REASONS[body.b[body.o]]
    if (reason === undefined) return fault('OFPBPC_BAD_VALUE')
    const desc = decodeDesc(body, body.o + 8)
    return isFault(desc) ? desc : { reason, desc: desc.entry }
  },
  encode(w, { reason, desc }) {
    w.u8(reason === 'vacancy_down' ? 3 : 4).zeros(7)
    encodeDesc(w, desc, true)
  },
}
