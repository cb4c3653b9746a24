/** Names of a switch's ports and tables, asked for when somebody uses one. */

import type { PortNames } from '../../protocols/openflow/port.ts'
import type { PortDesc } from '../../protocols/openflow/port-desc.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { OF13 } from '../../protocols/openflow/version.ts'
import type { SwitchConnection } from './switch-connection.ts'

/** A name that two have is nobody's: it is neither accepted nor shown. */
function biMap(rows: readonly (readonly [name: string, number: number])[]): PortNames {
  const numbers = new Map<string, number | undefined>()
  for (const [name, number] of rows) numbers.set(name, numbers.has(name) ? undefined : number)
  const names = new Map<number, string>()
  for (const [name, number] of numbers) if (number !== undefined && name !== '') names.set(number, name)
  return { numberOf: (name) => numbers.get(name), nameOf: (number) => names.get(number) }
}

export async function portsOf(connection: SwitchConnection): Promise<readonly PortDesc[]> {
  if (connection.version < OF13) {
    return (await connection.request('FEATURES_REQUEST', undefined, 'FEATURES_REPLY')).body.ports
  }
  const request = { port: 0xffff_ffff }
  return (await connection.request('PORT_DESC_STATS_REQUEST', request, 'PORT_DESC_STATS_REPLY')).body
}

/** What the text of commands may call by name, and, if `tables`, names of tables too (a long answer). */
export async function namesOf(connection: SwitchConnection, tables: boolean): Promise<NameMaps> {
  const ports = biMap((await portsOf(connection)).map((p) => [p.name, p.port] as const))
  if (!tables || connection.version < OF13) return { ports }
  const reply = await connection.request('TABLE_FEATURES_STATS_REQUEST', [], 'TABLE_FEATURES_STATS_REPLY')
  const named = reply.body.filter((t) => t.name !== `table${t.table}` && t.name !== '')
  return { ports, tables: biMap(named.map((t) => [t.name, t.table] as const)) }
}

/**
 * Parses text that may use names: they are asked for only if it does.
 * @param parse throws when it finds a name that it does not know
 */
export async function withNames<T>(
  connection: SwitchConnection,
  useNames: boolean,
  parse: (names: NameMaps | undefined) => T,
): Promise<T> {
  if (!useNames) return parse(undefined)
  let wanted = false
  let tables = false
  const ask = (table: boolean): PortNames => ({
    numberOf: () => {
      wanted = true
      tables ||= table
      return undefined
    },
    nameOf: () => undefined,
  })
  try {
    return parse({ ports: ask(false), tables: ask(true) })
  } catch (error) {
    if (!wanted) throw error
    return parse(await namesOf(connection, tables))
  }
}
