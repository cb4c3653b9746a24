/**
 * What must be so before anything is made: privileges, the TAP driver, `ip`, and that every name the network
 * wants is free and every device it uses is there. Each check that fails is one sentence with a hint.
 */
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { linkNames } from '../../engine/sys/link.ts'
import { linkInfo } from '../../engine/sys/link-info.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Machine } from '../lab/context.ts'
import { programMissing } from '../lab/ip.ts'
import { identityOf } from '../lab/ledger.ts'
import { isOurs, namespacePath, nameTaken } from '../lab/namespace.ts'
import { checkSystemDevice } from '../lab/system-port.ts'
import type { Element } from '../reconcile/element.ts'
import type { Change } from '../reconcile/plan.ts'

/** Bits of the effective capabilities, capabilities(7). */
const NEEDED = [
  [12, 'CAP_NET_ADMIN'],
  [13, 'CAP_NET_RAW'],
  [21, 'CAP_SYS_ADMIN'],
] as const

/** @throws CliError naming what is missing */
export function checkPrivileges(status = readFileSync('/proc/self/status', 'utf8')): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const missing = NEEDED.filter(([bit]) => (effective & (1n << BigInt(bit))) === 0n)
  if (missing.length === 0) return
  throw new CliError(
    `Making network devices and namespaces takes privileges this process lacks (${missing.map(([, name]) => name).join(', ')}).`,
    { code: EXIT_ENVIRONMENT, hint: 'Run it as root, for example with sudo.' },
  )
}

/** @throws CliError */
export function checkTunDevice(path = '/dev/net/tun'): void {
  try {
    closeSync(openSync(path, 'r+'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO'
    throw new CliError(missing ? `There is no ${path}, so no TAP device can be made.` : `${message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: missing
        ? 'Load the driver with `modprobe tun`; in a container, pass the device: --device /dev/net/tun'
        : 'The process needs to read and write it; run it as root.',
    })
  }
}

/** @throws CliError when it is in no directory of PATH */
export function checkIpProgram(path = process.env['PATH'] ?? '', program = 'ip'): void {
  const found = path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (!found) throw programMissing(program)
}

/**
 * Names and devices of what these changes make, which is what it answers.
 * @throws CliError for the first that is taken or missing
 */
export function checkNames(machine: Machine, changes: readonly Change[]): Element[] {
  const created = changes.filter((change) => change.op === 'create').map((change) => change.element)
  const given = new Set(
    changes.filter((change) => change.op === 'delete').flatMap((change) => devicesOf(change.element)),
  )
  const present = new Set(linkNames())
  for (const element of created) {
    checkName(machine, element, (device) => present.has(device) && !given.has(device))
  }
  return created
}

/** The same of one element, now that all that gives way to it has gone. @throws CliError */
export function checkName(
  machine: Machine,
  element: Element,
  taken: (device: string) => boolean = (device) => linkInfo(device) !== undefined,
): void {
  if (element.kind === 'namespace' && !isOurs(machine, element.name)) {
    if (identityOf(namespacePath(element.name)) !== undefined) throw nameTaken(element.name)
  }
  for (const device of devicesOf(element)) if (taken(device)) throw deviceTaken(device)
  if (element.kind === 'port' && element.spec.kind.type === 'system') {
    checkSystemDevice(element.spec.kind.device)
  }
}

/** Names the element's TAP has in our namespace, for a while or for good. */
function devicesOf(element: Element): string[] {
  if (element.kind !== 'interface' || element.spec.kind.type !== 'tap') return []
  return [element.spec.kind.device]
}

function deviceTaken(device: string): CliError {
  return new CliError(`There is already a network interface "${device}", and it is not ours.`, {
    code: EXIT_ENVIRONMENT,
    hint: `Choose another name in the configuration; \`ip link show ${device}\` shows what it is. If another switch made it, stop that one first.`,
  })
}
