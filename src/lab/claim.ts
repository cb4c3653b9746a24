import { createServer, type Server } from 'node:net'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'

/**
 * A mark that a device is a port of this switch: a socket in the abstract name space, which belongs to the
 * network namespace the device is in and vanishes with the process, whatever ends it.
 */
export class DeviceClaims {
  readonly #servers = new Map<string, Server>()

  /** Idempotent. @throws CliError when another switch has it */
  async claim(device: string): Promise<void> {
    if (this.#servers.has(device)) return
    const server = createServer((socket) => socket.destroy())
    server.unref()
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(error.code === 'EADDRINUSE' ? inUse(device, 'another vswitchd-ts') : error)
      })
      server.listen(`\0vswitchd-ts/port/${device}`, resolve)
    })
    this.#servers.set(device, server)
  }

  release(device: string): void {
    this.#servers.get(device)?.close()
    this.#servers.delete(device)
  }

  releaseAll(): void {
    for (const device of [...this.#servers.keys()]) this.release(device)
  }
}

/** @param other the switch, bridge or bond that has the device. */
export function inUse(device: string, other: string): CliError {
  return new CliError(`The interface ${device} is already a port of ${other}.`, {
    code: EXIT_ENVIRONMENT,
    hint: `Take it out there first, or name another interface in the configuration.`,
  })
}
