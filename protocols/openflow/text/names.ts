/** Ports and tables in text: numbers, OpenFlow's reserved names, and names that the switch knows. */

import { OFPP_MAX, OFPP_NONE, type PortNames, reservedPort, reservedPortName } from '../port.ts'

/** What text may call by name. Without it there are numbers only. */
export interface NameMaps {
  ports?: PortNames
  tables?: PortNames
}

const FIRST_RESERVED10 = 0xfff8
const OFFSET = 0xffff_0000

/** Quotes a name that could be taken for something else: all but a letter with letters and digits behind it. */
export function formatName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(name) ? name : JSON.stringify(name)
}

function unquote(s: string): string | undefined {
  if (!s.startsWith('"')) return s
  try {
    const v: unknown = JSON.parse(s)
    return typeof v === 'string' ? v : undefined
  } catch {
    return undefined
  }
}

/** A port by number (1.0's reserved ones are translated) or name; undefined if there is none such. */
export function parsePort(s: string, names?: NameMaps): number | undefined {
  if (/^\d+$/.test(s)) {
    const n = Number(s)
    if (n < OFPP_MAX) return n
    if (n <= 0xffff) return n >= FIRST_RESERVED10 - 1 ? n + OFFSET : n
    return n >= 0xffff_ff00 && n <= OFPP_NONE ? n : undefined
  }
  const reserved = reservedPort(s)
  if (reserved !== undefined) return reserved
  const name = unquote(s)
  return name === undefined ? undefined : names?.ports?.numberOf(name)
}

export function formatPort(port: number, names?: NameMaps): string {
  const reserved = reservedPortName(port)
  if (reserved !== undefined) return reserved
  const name = names?.ports?.nameOf(port)
  return name === undefined ? String(port) : formatName(name)
}

/** 0 to 255, or a table's name. */
export function parseTable(s: string, names?: NameMaps): number | undefined {
  if (/^(\d+|0[xX][0-9a-fA-F]+)$/.test(s)) {
    const n = Number(s)
    return n <= 255 ? n : undefined
  }
  const name = unquote(s)
  return name === undefined ? undefined : names?.tables?.numberOf(name)
}

export function formatTable(table: number, names?: NameMaps): string {
  const name = names?.tables?.nameOf(table)
  return name === undefined ? String(table) : formatName(name)
}
