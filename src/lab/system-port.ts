import { IFF_UP, linkName, linkNames, setLinkUp } from '../../engine/sys/link.ts'
import { linkInfo } from '../../engine/sys/link-info.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { inUse } from './claim.ts'
import type { Machine } from './context.ts'

/** @throws CliError when the interface does not exist or belongs to another switch */
export function checkSystemDevice(device: string): void {
  const link = linkInfo(device)
  if (link === undefined) {
    const names = linkNames().filter((name) => name !== 'lo')
    throw new CliError(`There is no interface "${device}".`, {
      code: EXIT_ENVIRONMENT,
      hint: names.length === 0 ? 'There is none besides lo.' : `There are: ${names.join(', ')}`,
    })
  }
  if (link.master !== 0) throw inUse(device, `another switch (${linkName(link.master)})`)
}

/** Takes the device up, and writes down that it was not. */
export function raiseDevice(machine: Machine, device: string): void {
  const link = linkInfo(device)
  if (link === undefined || (link.flags & IFF_UP) !== 0) return
  machine.ledger.put({ kind: 'link', device })
  setLinkUp(device, true)
}

/** Sets its MTU, which it keeps, as with Open vSwitch. */
export async function resizeDevice({ ip }: Machine, device: string, mtu: number): Promise<void> {
  if (linkInfo(device)?.mtu === mtu) return
  await ip.run('link', 'set', 'dev', device, 'mtu', String(mtu))
}

/** Takes the device down again if it was down before. */
export function lowerDevice(machine: Machine, device: string): void {
  if (machine.ledger.get(`link ${device}`) === undefined) return
  if (linkInfo(device) !== undefined) setLinkUp(device, false)
  machine.ledger.delete(`link ${device}`)
}
