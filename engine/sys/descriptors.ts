/** Descriptors of the process. */
import { checked, dup2 } from './libc.ts'

/** Has a descriptor lead to where another leads. */
export function redirect(fd: number, to: number): void {
  checked(dup2(to, fd), 'dup2', `descriptor ${fd}`)
}
