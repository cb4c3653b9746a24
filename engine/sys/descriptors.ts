/** What ties the process to a terminal: its descriptors and its session. */
import { checked, dup2, setsid } from './libc.ts'

/** Has a descriptor lead to where another leads. */
export function redirect(fd: number, to: number): void {
  checked(dup2(to, fd), 'dup2', `descriptor ${fd}`)
}

/** Leaves the terminal, with whose end or Ctrl-C the process would end, too. */
export function leaveSession(): void {
  checked(setsid(), 'setsid', 'the process')
}
