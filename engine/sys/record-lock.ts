/**
 * A POSIX record lock on a whole file, fcntl(2): what `ovs-appctl` and scripts ask the kernel for when they want to
 * know which process a pid file speaks of. It belongs to the process, and closing any of its descriptors of the file
 * gives it up: whoever holds one never opens that file again.
 */
import { fcntl } from './libc.ts'
import { SCRATCH, scratch8, scratch32 } from './memory.ts'

const F_GETLK = 5
const F_SETLK = 6
const F_WRLCK = 1
const F_UNLCK = 2
/** struct flock: type and whence, start and length (0: to the end, wherever that is), pid. */
const FLOCK_LEN = 32
const PID_WORD = 6

function prepare(type: number): void {
  scratch8.fill(0, 0, FLOCK_LEN)
  scratch8[0] = type
}

/** Takes the lock for this process; false when another has it. */
export function lockRecord(fd: number): boolean {
  prepare(F_WRLCK)
  return fcntl(fd, F_SETLK, SCRATCH) === 0
}

/** The process that holds a lock on the file, if another than this one does. */
export function recordHolder(fd: number): number | undefined {
  prepare(F_WRLCK)
  if (fcntl(fd, F_GETLK, SCRATCH) < 0 || scratch8[0] === F_UNLCK) return undefined
  return scratch32[PID_WORD]
}
