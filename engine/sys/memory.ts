/**
 * Native memory seen as bytes. Such a view cannot be handed to another thread (structured clone copies it and
 * a transfer list does not detach it): send the address and make a view there with `viewMemory`.
 */
import { checked, mmap, munmap, view } from './libc.ts'

const PROT_READ_WRITE = 1 | 2
const MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20

export interface Memory {
  /** Native address of the first byte; aligned to a page. */
  readonly address: number
  readonly bytes: Uint8Array
}

/**
 * Zeroed memory of its own, for as long as the process lives or until `unmapMemory`. Pages that nobody
 * touches take no room.
 * @throws SystemError ENOMEM
 */
export function mapMemory(length: number): Memory {
  const address = checked(
    mmap(0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0),
    'mmap',
    `${length} bytes`,
  )
  return { address, bytes: viewMemory(address, length) }
}

/** Memory that was mapped elsewhere, typically by another thread that sent its address. */
export function viewMemory(address: number, length: number): Uint8Array {
  return new Uint8Array(view(address, length))
}

/** Gives memory back. Every view of it, on every thread, must be out of use: touching one kills the process. */
export function unmapMemory(address: number, length: number): void {
  checked(munmap(address, length), 'munmap', `${length} bytes`)
}

/** A page of this thread for arguments of system calls; whoever uses it is done with it before returning. */
export const SCRATCH_BYTES = 4096
const page = mapMemory(SCRATCH_BYTES)
export const SCRATCH = page.address
export const scratch8 = page.bytes
export const scratch32 = new Int32Array(page.bytes.buffer)
