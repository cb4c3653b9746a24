import { setFlagsFromString } from 'node:v8'

/**
 * From now on the threads of this process collect their young garbage alone. A dataplane leaves so little alive that
 * helpers find nothing to do, and yet it would stand still until the machine has had a processor for each of them.
 */
export function collectAlone(): void {
  setFlagsFromString('--no-parallel-scavenge')
}
