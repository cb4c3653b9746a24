import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { inUse } from './claim.ts'
import type { Machine } from './context.ts'

/** Part of what `ip -json -details link show` gives. */
interface LinkInfo {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly master?: string
}

async function linkInfo(machine: Machine, device: string): Promise<LinkInfo | undefined> {
  try {
    return (JSON.parse(await machine.ip.run('-j', 'link', 'show', 'dev', device)) as LinkInfo[])[0]
  } catch (error) {
    if (error instanceof CliError) throw error
    return undefined
  }
}

/** @throws CliError when the interface does not exist or belongs to another switch */
export async function checkSystemDevice(machine: Machine, device: string): Promise<void> {
  const link = await linkInfo(machine, device)
  if (link === undefined) {
    const all = JSON.parse(await machine.ip.run('-j', 'link', 'show')) as LinkInfo[]
    const names = all.map((other) => other.ifname).filter((name) => name !== 'lo')
    throw new CliError(`There is no interface "${device}".`, {
      code: EXIT_ENVIRONMENT,
      hint: names.length === 0 ? 'There is none besides lo.' : `There are: ${names.join(', ')}`,
    })
  }
  if (link.master !== undefined) throw inUse(device, `another switch (${link.master})`)
}

/** Takes the device up, and writes down that it was not. */
export async function raiseDevice(machine: Machine, device: string): Promise<void> {
  const link = await linkInfo(machine, device)
  if (link === undefined || link.flags.includes('UP')) return
  machine.ledger.put({ kind: 'link', device })
  await machine.ip.run('link', 'set', 'dev', device, 'up')
}

/** Takes the device down again if it was down before. */
export async function lowerDevice(machine: Machine, device: string): Promise<void> {
  if (machine.ledger.get(`link ${device}`) === undefined) return
  if ((await linkInfo(machine, device)) !== undefined) {
    await machine.ip.run('link', 'set', 'dev', device, 'down')
  }
  machine.ledger.delete(`link ${device}`)
}
