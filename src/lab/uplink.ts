/**
 * The machine's own addresses move from the device of a system port to the internal port of its bridge, and
 * back. The device itself then only carries frames for the switch, as the manual setup of an Open vSwitch
 * uplink does it; here it is done in one go, written down before, and undone at stop or after a crash.
 *
 * Moved are IPv4 addresses and lasting IPv6 addresses with global scope, and the routes by the device that the
 * kernel did not make itself. The kernel also goes on listening on the device, so it is told to answer ARP
 * there only for addresses that are still there; otherwise two MAC addresses would claim the moved ones.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { contains, formatIpv4, formatPrefix, type Prefix, parseIpv4 } from '../../protocols/wire/ipv4.ts'
import type { ElementOf } from '../reconcile/element.ts'
import { ipRemove } from './address.ts'
import type { Machine } from './context.ts'
import type { UplinkRecord } from './ledger.ts'

/** Part of what `ip -json address show` gives. */
export interface IpAddressInfo {
  readonly family: 'inet' | 'inet6'
  readonly local: string
  readonly prefixlen: number
  readonly broadcast?: string
  readonly scope: string
  readonly label?: string
  readonly dynamic?: boolean
  readonly temporary?: boolean
  readonly valid_life_time?: number
  readonly preferred_life_time?: number
}

/** Part of what `ip -json route show` gives. */
export interface IpRouteInfo {
  readonly dst: string
  readonly gateway?: string
  readonly protocol?: string
  readonly scope?: string
  readonly prefsrc?: string
  readonly metric?: number
  readonly table?: string
  readonly type?: string
  readonly flags?: readonly string[]
}

/** Arguments of `ip address replace`, without the device. */
export function addressWords(info: IpAddressInfo): string[] {
  const words = [`${info.local}/${info.prefixlen}`]
  if (info.broadcast !== undefined) words.push('broadcast', info.broadcast)
  if (info.family === 'inet6') words.push('nodad')
  if (info.dynamic) {
    words.push('valid_lft', String(info.valid_life_time), 'preferred_lft', String(info.preferred_life_time))
  }
  return words
}

/** Arguments of `ip route replace`, without the device. */
export function routeWords(info: IpRouteInfo, family: 'inet' | 'inet6'): string[] {
  const anywhere = family === 'inet' ? '0.0.0.0/0' : '::/0'
  const words = [info.dst === 'default' ? anywhere : info.dst]
  if (info.type !== undefined && info.type !== 'unicast') words.unshift(info.type)
  if (info.gateway !== undefined) words.push('via', info.gateway)
  if (info.protocol !== undefined) words.push('proto', info.protocol)
  if (info.scope !== undefined && info.gateway === undefined) words.push('scope', info.scope)
  if (info.prefsrc !== undefined) words.push('src', info.prefsrc)
  if (info.metric !== undefined) words.push('metric', String(info.metric))
  if (info.table !== undefined) words.push('table', info.table)
  if (info.flags?.includes('onlink')) words.push('onlink')
  return words
}

export function isMovable(info: IpAddressInfo): boolean {
  if (info.family === 'inet') return true
  return info.scope === 'global' && info.dynamic !== true && info.temporary !== true
}

/** Takes over what the element asks for. Does nothing when the device has none of it. */
export async function takeUplink(machine: Machine, element: ElementOf<'uplink'>): Promise<void> {
  const key = `uplink ${element.device}`
  if (machine.ledger.get(key) !== undefined) return
  const claims = element.claims.map(formatPrefix)
  const present = await deviceAddresses(machine, element.device)
  const taken = present.filter(
    (info) => isMovable(info) && (element.all || claims.includes(`${info.local}/${info.prefixlen}`)),
  )
  if (taken.length === 0) return
  const everything = present.filter(isMovable).length === taken.length
  const routes = await deviceRoutes(machine, element.device)
  const moved = everything ? routes : routes.filter((words) => belongs(words, element))
  const arpIgnore = readArpIgnore(element.device)
  const record: UplinkRecord = {
    device: element.device,
    internal: element.internal,
    arpIgnore,
    addresses: taken.map(addressWords),
    routes: moved,
  }
  machine.ledger.put({ kind: 'uplink', ...record })
  if (arpIgnore !== undefined) writeArpIgnore(element.device, '1')
  await machine.ip.batch(undefined, [
    // Secondary addresses follow their primary one; it takes them along when it is removed before them.
    ...record.addresses.map((words) => ['address', 'delete', words[0]!, 'dev', element.device]).reverse(),
    ...record.addresses.map((words) => ['address', 'replace', ...words, 'dev', element.internal]),
    ...record.routes.map((words) => ['route', 'replace', ...words, 'dev', element.internal]),
  ])
}

/** Gives back what the ledger says was taken from the device; answers whether there was anything to give. */
export async function giveBackUplink(machine: Machine, device: string): Promise<boolean> {
  const key = `uplink ${device}`
  const record = machine.ledger.get(key)
  if (record?.kind !== 'uplink') return false
  const list = record.addresses.map((words) => words[0]).join(', ')
  if (!(await deviceExists(machine, device))) {
    machine.warn(`The interface ${device} is gone; ${list} cannot be given back to it.`)
    machine.ledger.delete(key)
    return false
  }
  for (const words of [...record.addresses].reverse()) {
    await ipRemove(machine, undefined, ['address', 'delete', words[0]!, 'dev', record.internal])
  }
  const commands = [
    ...record.addresses.map((words) => ['address', 'replace', ...words, 'dev', device]),
    ...record.routes.map((words) => ['route', 'replace', ...words, 'dev', device]),
  ]
  for (const command of commands) {
    try {
      await machine.ip.batch(undefined, [command])
    } catch (error) {
      machine.warn(`Giving back to ${device}: ${(error as Error).message}`)
    }
  }
  if (record.arpIgnore !== undefined) writeArpIgnore(device, record.arpIgnore)
  machine.ledger.delete(key)
  return true
}

async function deviceAddresses(machine: Machine, device: string): Promise<IpAddressInfo[]> {
  const links = JSON.parse(await machine.ip.run('-j', 'address', 'show', 'dev', device))
  return links.flatMap((link: { addr_info?: IpAddressInfo[] }) => link.addr_info ?? [])
}

async function deviceExists(machine: Machine, device: string): Promise<boolean> {
  try {
    await machine.ip.run('link', 'show', 'dev', device)
    return true
  } catch {
    return false
  }
}

/** Routes without a next hop first: the others are reached by them. */
async function deviceRoutes(machine: Machine, device: string): Promise<string[][]> {
  const all: { words: string[]; direct: boolean }[] = []
  for (const [option, family] of [
    ['-4', 'inet'],
    ['-6', 'inet6'],
  ] as const) {
    const text = await machine.ip.run('-j', option, 'route', 'show', 'table', 'all', 'dev', device)
    for (const info of JSON.parse(text === '' ? '[]' : text) as IpRouteInfo[]) {
      if (info.protocol === 'kernel' || info.protocol === 'ra' || info.table === 'local') continue
      all.push({ words: routeWords(info, family), direct: info.gateway === undefined })
    }
  }
  return [...all.filter((route) => route.direct), ...all.filter((route) => !route.direct)].map(
    (route) => route.words,
  )
}

/** Whether a route is reached by, or sends from, one of the claimed addresses. */
function belongs(words: readonly string[], element: ElementOf<'uplink'>): boolean {
  const via = words[words.indexOf('via') + 1]
  const source = words[words.indexOf('src') + 1]
  return element.claims.some((claim) => {
    const own = formatIpv4(claim.address)
    return (words.includes('src') && source === own) || (words.includes('via') && onSubnet(claim, via!))
  })
}

function onSubnet(claim: Prefix, text: string): boolean {
  const address = parseIpv4(text)
  return address !== undefined && contains(claim, address)
}

function arpIgnorePath(device: string): string {
  return `/proc/sys/net/ipv4/conf/${device}/arp_ignore`
}

function readArpIgnore(device: string): string | undefined {
  try {
    return readFileSync(arpIgnorePath(device), 'utf8').trim()
  } catch {
    return undefined
  }
}

function writeArpIgnore(device: string, value: string): void {
  try {
    writeFileSync(arpIgnorePath(device), value)
  } catch {
    // A read-only /proc/sys, as in some containers: the addresses work, if less cleanly.
  }
}
