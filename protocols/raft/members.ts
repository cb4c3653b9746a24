/** Members of the JSON objects that records and messages are, beyond those that OVSDB has. */

import type { Json, JsonObject } from '../ovsdb/json-text.ts'
import { isArray } from '../ovsdb/json-value.ts'
import type { Members } from '../ovsdb/members.ts'
import { parseUuid, type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { isServerAddress } from './address.ts'
import type { Servers } from './entry.ts'

/** A term, an index or a time. Those of 2^53 and more are errors: no cluster lives so long. */
export function requiredCount(members: Members, name: string): number {
  return count(members, name, members.required(name, 'integer'))
}

export function optionalCount(members: Members, name: string): number | undefined {
  const value = members.optional(name, 'integer')
  return value === undefined ? undefined : count(members, name, value)
}

function count(members: Members, name: string, value: number | bigint): number {
  if (typeof value === 'number' && value >= 0) return value
  throw members.error(`${name} is not an integer that is kept.`)
}

export function requiredUuid(members: Members, name: string): Uuid {
  return uuid(members, name, members.required(name, 'string'))
}

export function optionalUuid(members: Members, name: string): Uuid | undefined {
  const text = members.optional(name, 'string')
  return text === undefined ? undefined : uuid(members, name, text)
}

function uuid(members: Members, name: string, text: string): Uuid {
  const parsed = parseUuid(text)
  if (parsed === undefined) throw members.error(`${name} is not a valid UUID`)
  return parsed
}

/** The same, and it must be somebody's. */
export function requiredServerId(members: Members, name: string): Uuid {
  return somebody(members, name, requiredUuid(members, name))
}

export function optionalServerId(members: Members, name: string): Uuid | undefined {
  const id = optionalUuid(members, name)
  return id === undefined ? undefined : somebody(members, name, id)
}

function somebody(members: Members, name: string, id: Uuid): Uuid {
  if (id === ZERO_UUID) throw members.error(`${name} is the all-zeros UUID`)
  return id
}

/** What a transaction is: an object or an array. */
export function optionalData(members: Members, name: string): Json | undefined {
  const data = members.optional(name, 'any')
  if (data === undefined || (typeof data === 'object' && data !== null)) return data
  throw members.error(`Type mismatch for member '${name}'.`)
}

export function requiredServers(members: Members, name: string): Servers {
  return servers(members, name, members.required(name, 'object'))
}

export function optionalServers(members: Members, name: string): Servers | undefined {
  const json = members.optional(name, 'object')
  return json === undefined ? undefined : servers(members, name, json)
}

function servers(members: Members, name: string, json: JsonObject): Servers {
  const parsed = new Map<Uuid, string>()
  for (const [id, where] of Object.entries(json)) {
    const sid = parseUuid(id)
    if (sid === undefined) throw members.error(`${name}: ${id} is not a UUID`)
    parsed.set(sid, address(members, name, where))
  }
  if (parsed.size === 0) throw members.error(`${name} must have at least one server`)
  return parsed
}

export function serversJson(servers: Servers): JsonObject {
  return Object.fromEntries(servers)
}

export function optionalAddresses(members: Members, name: string): readonly string[] | undefined {
  const json = members.optional(name, 'array')
  if (json === undefined) return undefined
  if (!isArray(json) || json.length === 0) throw members.error(`${name}: at least one address is required`)
  return [...new Set(json.map((each) => address(members, name, each)))]
}

function address(members: Members, name: string, json: Json): string {
  if (typeof json === 'string' && isServerAddress(json)) return json
  throw members.error(`${name}: expected "tcp" or "ssl" address`)
}
