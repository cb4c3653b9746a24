import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Machine } from './context.ts'

/**
 * Name servers of a host: `ip netns exec vm1` shows /etc/netns/vm1/resolv.conf as /etc/resolv.conf to what it
 * runs, ip-netns(8). A file somebody else has put there is theirs, and stays.
 */
const DIRECTORY = '/etc/netns'
const OURS = '# Written by vswitchd-ts; removed when it stops.'

export function putResolver(machine: Machine, namespace: string, servers: readonly number[]): void {
  const directory = `${DIRECTORY}/${namespace}`
  const path = `${directory}/resolv.conf`
  if (existsSync(path) && !isOurFile(path)) {
    machine.warn(`${path} is not ours and stays as it is.`)
    return
  }
  try {
    for (const made of [DIRECTORY, directory]) {
      if (existsSync(made)) continue
      machine.ledger.put({ kind: 'directory', path: made })
      mkdirSync(made, { mode: 0o755 })
    }
    machine.ledger.put({ kind: 'file', path })
    const lines = servers.map((server) => `nameserver ${formatIpv4(server)}\n`)
    writeFileSync(path, `${OURS}\n${lines.join('')}`)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`${path} cannot be written: ${(error as Error).message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'The name servers of a host stand there for `ip netns exec`; leave out "dns" to do without.',
      cause: error,
    })
  }
}

export function removeResolver(machine: Machine, namespace: string): void {
  const directory = `${DIRECTORY}/${namespace}`
  removeFile(machine, `${directory}/resolv.conf`)
  removeDirectory(machine, directory)
  removeDirectory(machine, DIRECTORY)
}

/** Only what the ledger names, and only if its first line is still ours; answers whether it was. */
export function removeFile(machine: Machine, path: string): boolean {
  if (machine.ledger.get(`file ${path}`) === undefined) return false
  const there = existsSync(path)
  const ours = there && isOurFile(path)
  if (ours) rmSync(path)
  else if (there) machine.warn(`${path} has been replaced by somebody else, and is left alone.`)
  machine.ledger.delete(`file ${path}`)
  return ours
}

/** Only what the ledger names, and only when nothing is in it. */
export function removeDirectory(machine: Machine, path: string): void {
  if (machine.ledger.get(`directory ${path}`) === undefined) return
  try {
    rmdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY') return
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
  }
  machine.ledger.delete(`directory ${path}`)
}

function isOurFile(path: string): boolean {
  // A file that was opened and not yet written when the process died is empty.
  const text = readFileSync(path, 'utf8')
  return text === '' || text.startsWith(OURS)
}
