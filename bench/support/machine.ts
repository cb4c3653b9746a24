import { availableParallelism, cpus, release, totalmem } from 'node:os'

/** What figures depend on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  /** GiB. */
  readonly memory: number
  readonly kernel: string
  readonly node: string
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  }
}

export function nameMachine({ processor, cores, memory, kernel, node }: Machine): string {
  return `${processor}, ${cores} core${cores === 1 ? '' : 's'}, ${memory} GiB, Linux ${kernel}, Node.js ${node}`
}
