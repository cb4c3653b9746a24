import { formatIpv4, formatPrefix } from '../../protocols/wire/ipv4.ts'
import type { ElementOf } from '../reconcile/element.ts'
import type { Machine } from './context.ts'
import { IpError } from './ip.ts'

/** What `ip` says when what is to be removed is not there any more. */
const ABSENT =
  /Cannot assign requested address|Address not found|Cannot find device|No such process|No such device|Cannot open network namespace|Device does not exist/

/** Runs a removal; that the thing is already gone is what was wanted. */
export async function ipRemove(
  machine: Machine,
  namespace: string | undefined,
  words: readonly string[],
): Promise<void> {
  try {
    await machine.ip.batch(namespace, [words])
  } catch (error) {
    if (!(error instanceof IpError && ABSENT.test(error.reason))) throw error
  }
}

export async function putAddress(machine: Machine, element: ElementOf<'address'>): Promise<void> {
  const { namespace, device, address } = element
  const broadcast = address.prefixLength < 31 && device !== 'lo' ? ['broadcast', '+'] : []
  await machine.ip.batch(namespace, [
    ['address', 'replace', formatPrefix(address), ...broadcast, 'dev', device],
  ])
}

export async function removeAddress(machine: Machine, element: ElementOf<'address'>): Promise<void> {
  await ipRemove(machine, element.namespace, [
    'address',
    'delete',
    formatPrefix(element.address),
    'dev',
    element.device,
  ])
}

export async function putRoute(machine: Machine, element: ElementOf<'route'>): Promise<void> {
  await machine.ip.batch(element.namespace, [
    ['route', 'replace', formatPrefix(element.to), 'via', formatIpv4(element.via)],
  ])
}

export async function removeRoute(machine: Machine, element: ElementOf<'route'>): Promise<void> {
  await ipRemove(machine, element.namespace, [
    'route',
    'delete',
    formatPrefix(element.to),
    'via',
    formatIpv4(element.via),
  ])
}
