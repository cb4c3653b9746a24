import { setLinkUp } from '../../engine/sys/link.ts'
import { inNamespace } from '../../engine/sys/netns.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Machine } from './context.ts'
import { identityOf, sameIdentity } from './ledger.ts'

/** Where `ip netns` keeps its names; /var/run is a link to /run wherever iproute2 is. */
export const NETNS_DIRECTORY = '/run/netns'

export function namespacePath(name: string): string {
  return `${NETNS_DIRECTORY}/${name}`
}

/** Refused before anything is touched, and again at the moment of making. */
export function nameTaken(name: string): CliError {
  return new CliError(`There is already a network namespace "${name}", and it is not ours.`, {
    code: EXIT_ENVIRONMENT,
    hint: `Rename the host in the configuration, or delete the namespace with: ip netns delete ${name}`,
  })
}

/** Whether the ledger says that the namespace which now has this name is ours. */
export function isOurs(machine: Machine, name: string): boolean {
  const entry = machine.ledger.get(`namespace ${name}`)
  return entry?.kind === 'namespace' && sameIdentity(entry.identity, identityOf(namespacePath(name)))
}

/** A namespace that `ip netns exec NAME` enters. @throws CliError when the name is somebody else's */
export async function makeNamespace(machine: Machine, name: string, loopback: boolean): Promise<void> {
  if (!isOurs(machine, name)) {
    if (identityOf(namespacePath(name)) !== undefined) throw nameTaken(name)
    machine.ledger.put({ kind: 'namespace', name, identity: undefined })
    try {
      await machine.ip.run('netns', 'add', name)
    } catch (error) {
      machine.ledger.delete(`namespace ${name}`)
      throw error
    }
    machine.ledger.put({ kind: 'namespace', name, identity: identityOf(namespacePath(name)) })
  }
  inNamespace(namespacePath(name), () => setLinkUp('lo', loopback))
}

/** Takes the name away, if it is still that of the namespace we made; answers whether it was there and ours. */
export async function removeNamespace(machine: Machine, name: string): Promise<boolean> {
  const key = `namespace ${name}`
  const entry = machine.ledger.get(key)
  if (entry?.kind !== 'namespace') return false
  const present = identityOf(namespacePath(name))
  let ours = false
  if (present !== undefined) {
    // Without an identity the process died between making and noting it; then only an empty one is ours.
    ours =
      entry.identity === undefined ? await isPristine(machine, name) : sameIdentity(entry.identity, present)
    if (ours) await machine.ip.run('netns', 'delete', name)
    else machine.warn(`The network namespace "${name}" is no longer the one we made, and is left alone.`)
  }
  machine.ledger.delete(key)
  return ours
}

/** Nothing in it but the loopback interface. */
async function isPristine(machine: Machine, name: string): Promise<boolean> {
  try {
    const links = JSON.parse(await machine.ip.run('-n', name, '-j', 'link', 'show')) as unknown[]
    return links.length <= 1
  } catch {
    // `ip netns add` died between making the file and mounting the namespace on it.
    return true
  }
}
