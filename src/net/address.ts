/**
 * Where streams lead, in the words of ovsdb(7) and ovs-vsctl(8) "Controller Settings": `tcp:HOST[:PORT]`,
 * `ssl:HOST[:PORT]`, `unix:FILE`, and passively `ptcp:[PORT][:HOST]`, `pssl:[PORT][:HOST]`, `punix:FILE`.
 * IPv6 addresses stand in brackets.
 */
import { resolve } from 'node:path'

export type Address =
  | {
      readonly method: 'tcp' | 'ssl'
      readonly passive: boolean
      /** Empty, of passive ones: every address of the machine. */
      readonly host: string
      readonly port: number
    }
  | { readonly method: 'unix'; readonly passive: boolean; readonly path: string }

const METHOD = /^(p?)(tcp|ssl|unix):(.*)$/
const ACTIVE = /^(?:\[([0-9A-Fa-f:.%A-Za-z]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/
const PASSIVE = /^(\d{1,5})?(?::(?:\[([0-9A-Fa-f:.%A-Za-z]+)\]|([^:[\]]+)))?$/

/** Undefined for what is no such address. @param defaultPort where none is given: OPENFLOW_PORT, OVSDB_PORT */
export function parseAddress(text: string, defaultPort: number): Address | undefined {
  const [, p, word, rest] = METHOD.exec(text) ?? []
  if (word === undefined || rest === undefined) return undefined
  const passive = p === 'p'
  if (word === 'unix') return rest === '' ? undefined : { method: 'unix', passive, path: rest }
  const method = word as 'tcp' | 'ssl'
  if (passive) {
    const found = PASSIVE.exec(rest)
    if (found === null) return undefined
    const port = found[1] === undefined ? defaultPort : Number(found[1])
    return port > 65535 ? undefined : { method, passive, host: found[2] ?? found[3] ?? '', port }
  }
  const found = ACTIVE.exec(rest)
  if (found === null) return undefined
  const port = found[3] === undefined ? defaultPort : Number(found[3])
  if (port < 1 || port > 65535) return undefined
  return { method, passive, host: found[1] ?? found[2]!, port }
}

/** The same address in full; what parseAddress reads. */
export function formatAddress(address: Address): string {
  const p = address.passive ? 'p' : ''
  if (address.method === 'unix') return `${p}unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  if (!address.passive) return `${address.method}:${host}:${address.port}`
  return `p${address.method}:${address.port}${host === '' ? '' : `:${host}`}`
}

/** The same with a relative socket under the run directory, where Open vSwitch looks for it. */
export function underDirectory(address: Address, directory: string): Address {
  if (address.method !== 'unix') return address
  return { ...address, path: resolve(directory, address.path) }
}
