import { strerror } from '../../engine/sys/libc.ts'

/** The reason of an error of the system, in the words of strerror(3); of any other, its message. */
export function errorText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException
  return typeof errno === 'number' ? strerror(Math.abs(errno)) : message
}
