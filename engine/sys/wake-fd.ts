/**
 * A doorbell between threads, eventfd(2). A thread that sleeps in poll() sees neither messages nor Atomics;
 * it watches this descriptor, and who has put something in its mailbox rings.
 */
import { checked, close, eventfd, O_CLOEXEC, O_NONBLOCK, read, write } from './libc.ts'
import { mapMemory } from './memory.ts'

const counter = mapMemory(16)
// Any value but zero rings, so the byte order of the 64-bit counter does not matter.
new Uint32Array(counter.bytes.buffer)[2] = 1
const DRAIN = counter.address
const ONE = counter.address + 8

export class WakeFd {
  readonly fd: number

  /** @param fd a descriptor another thread made; a new one if not given */
  constructor(fd?: number) {
    this.fd = fd ?? checked(eventfd(0, O_NONBLOCK | O_CLOEXEC), 'eventfd', 'for waking a thread')
  }

  /** Rings. From any thread; many rings before a drain are one. */
  signal(): void {
    write(this.fd, ONE, 8)
  }

  /** Answers whether it has been rung since the last drain. */
  drain(): boolean {
    return read(this.fd, DRAIN, 8) === 8
  }

  /** Once, by one of the threads, when no thread uses it any more. */
  close(): void {
    close(this.fd)
  }
}
