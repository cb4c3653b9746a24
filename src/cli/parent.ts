import { closeSync, writeSync } from 'node:fs'

/** Names, in the environment, the descriptor by which the parent of a process in the background waits for its code. */
const VARIABLE = 'VSWITCHD_TS_PARENT'

/** Who waits for a start in the background (see bin/vswitchd-ts). */
export class Parent {
  #fd: number | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Has it exit with a code, the first time that this is called. Whether it still waits is none of our business. */
  exit(code: number): void {
    if (this.#fd === undefined) return
    try {
      writeSync(this.#fd, String(code))
    } catch {
      // It has been killed.
    }
    closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** Whoever waits for this process; what it starts itself is nobody's. */
function takeParent(env: NodeJS.ProcessEnv): Parent | undefined {
  const fd = env[VARIABLE]
  delete env[VARIABLE]
  return fd === undefined ? undefined : new Parent(Number(fd))
}

export const parent = takeParent(process.env)
