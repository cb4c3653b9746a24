/**
 * Many reads and writes in one system call, io_uring(7). Where entering the kernel costs as much as carrying a small
 * frame does, this is what lets frames cost no more than themselves.
 *
 * Only for descriptors that never make anybody wait (RWF_NOWAIT): everything is done, in the order in which it was
 * asked for, when `submit` returns. The ring belongs to the thread that made it.
 */
import { checked, close, EAGAIN, EBUSY, EINTR, errno, mmap, munmap, SystemError, syscall } from './libc.ts'
import { mapMemory, unmapMemory, viewMemory } from './memory.ts'

// The same on all architectures.
const SYS_IO_URING_SETUP = 425
const SYS_IO_URING_ENTER = 426

/** struct io_uring_params: offsets in 32-bit words. */
const SQ_ENTRIES = 0
const CQ_ENTRIES = 1
const SQ_TAIL = 11
const SQ_ARRAY = 16
const CQ_HEAD = 20
const CQ_CQES = 25
const PARAMS_LEN = 120

const IORING_OFF_SQ_RING = 0
const IORING_OFF_SQES = 0x10000000
const IORING_ENTER_GETEVENTS = 1
const IORING_OP_READ = 22
const IORING_OP_WRITE = 23
const RWF_NOWAIT = 8

/** struct io_uring_sqe, in 32-bit words. */
const SQE_WORDS = 16
const SQE_FD = 1
const SQE_OFFSET = 2
const SQE_ADDRESS = 4
const SQE_LEN = 6
const SQE_RW_FLAGS = 7
const SQE_USER_DATA = 8
/** struct io_uring_cqe, in 32-bit words: 64 bits of user data, the result, flags. */
const CQE_WORDS = 4
const CQE_RESULT = 2

const PROT_READ_WRITE = 3
const MAP_SHARED_POPULATE = 0x8001
const TWO_32 = 2 ** 32

export class IoUring {
  /** Requests between two submissions at the most. */
  readonly capacity: number
  /** What has become of the last submission's requests, in their order: bytes, or an error's number, negative. */
  readonly results: Int32Array
  readonly #fd: number
  readonly #ringsAddress: number
  readonly #ringsLen: number
  readonly #sqesAddress: number
  readonly #rings: Uint32Array
  readonly #sqes: Uint32Array
  readonly #sqTailAt: number
  readonly #cqHeadAt: number
  readonly #cqesAt: number
  readonly #cqMask: number
  #sqTail = 0
  #cqHead = 0
  #asked = 0

  /**
   * @param entries requests between two submissions at the most; a power of two
   * @throws SystemError ENOSYS or EPERM where the kernel or its keeper has no io_uring for us
   */
  constructor(entries: number) {
    const params = mapMemory(PARAMS_LEN)
    const words = new Uint32Array(params.bytes.buffer, 0, PARAMS_LEN / 4)
    try {
      const fd = checked(
        syscall(SYS_IO_URING_SETUP, entries, params.address, 0, 0, 0, 0),
        'io_uring_setup',
        `${entries} entries`,
      )
      this.#fd = fd
      this.capacity = words[SQ_ENTRIES]
      this.results = new Int32Array(this.capacity)
      this.#cqMask = words[CQ_ENTRIES] - 1
      this.#ringsLen = Math.max(
        words[SQ_ARRAY] + 4 * words[SQ_ENTRIES],
        words[CQ_CQES] + 4 * CQE_WORDS * words[CQ_ENTRIES],
      )
      this.#ringsAddress = this.#map(this.#ringsLen, IORING_OFF_SQ_RING)
      this.#sqesAddress = this.#map(4 * SQE_WORDS * this.capacity, IORING_OFF_SQES)
      this.#rings = words32(this.#ringsAddress, this.#ringsLen)
      this.#sqes = words32(this.#sqesAddress, 4 * SQE_WORDS * this.capacity)
      this.#sqTailAt = words[SQ_TAIL] >>> 2
      this.#cqHeadAt = words[CQ_HEAD] >>> 2
      this.#cqesAt = words[CQ_CQES] >>> 2
      const array = words[SQ_ARRAY] >>> 2
      for (let i = 0; i < this.capacity; i++) this.#rings[array + i] = i
    } finally {
      unmapMemory(params.address, PARAMS_LEN)
    }
  }

  #map(length: number, offset: number): number {
    const address = mmap(0, length, PROT_READ_WRITE, MAP_SHARED_POPULATE, this.#fd, offset)
    if (address > 0) return address
    const code = errno()
    close(this.#fd)
    throw new SystemError('mmap', 'the rings of io_uring', code)
  }

  /** Requests that wait for `submit`. */
  get waiting(): number {
    return this.#asked
  }

  /** Asks for one read(2) of up to `length` bytes to a native address. */
  read(fd: number, address: number, length: number): void {
    this.#ask(IORING_OP_READ, fd, address, length)
  }

  /** Asks for one write(2); the bytes must stay until `submit` has returned. */
  write(fd: number, address: number, length: number): void {
    this.#ask(IORING_OP_WRITE, fd, address, length)
  }

  #ask(operation: number, fd: number, address: number, length: number): void {
    const sqes = this.#sqes
    const i = (this.#sqTail & (this.capacity - 1)) * SQE_WORDS
    sqes[i] = operation
    sqes[i + SQE_FD] = fd
    // The file's own position, which such a descriptor does not have.
    sqes[i + SQE_OFFSET] = 0xffffffff
    sqes[i + SQE_OFFSET + 1] = 0xffffffff
    sqes[i + SQE_ADDRESS] = address >>> 0
    sqes[i + SQE_ADDRESS + 1] = (address / TWO_32) >>> 0
    sqes[i + SQE_LEN] = length
    sqes[i + SQE_RW_FLAGS] = RWF_NOWAIT
    sqes[i + SQE_USER_DATA] = this.#asked++
    this.#sqTail = (this.#sqTail + 1) >>> 0
  }

  /** Has done all that was asked for, and answers how much that was; see `results`. */
  submit(): number {
    const count = this.#asked
    if (count === 0) return 0
    this.#asked = 0
    const rings = this.#rings
    rings[this.#sqTailAt] = this.#sqTail
    let left = count
    while (left > 0) {
      const taken = syscall(SYS_IO_URING_ENTER, this.#fd, left, left, IORING_ENTER_GETEVENTS, 0, 0)
      if (taken > 0) left -= taken
      else if (taken < 0 && !this.#passing(errno())) break
    }
    const done = count - left
    if (left > 0) this.#refused(done, left, errno())
    for (let i = 0; i < done; i++) {
      const cqe = this.#cqesAt + (this.#cqHead & this.#cqMask) * CQE_WORDS
      this.results[rings[cqe]] = rings[cqe + CQE_RESULT]
      this.#cqHead = (this.#cqHead + 1) >>> 0
    }
    rings[this.#cqHeadAt] = this.#cqHead
    return count
  }

  /** Whether asking again may help: a signal came, or memory is short for a moment. */
  #passing(code: number): boolean {
    return code === EINTR || code === EAGAIN || code === EBUSY
  }

  /** Takes back what the kernel will not do. */
  #refused(from: number, count: number, code: number): void {
    for (let i = 0; i < count; i++) this.results[from + i] = -code
    this.#sqTail = (this.#sqTail - count) >>> 0
    this.#rings[this.#sqTailAt] = this.#sqTail
  }

  close(): void {
    munmap(this.#sqesAddress, 4 * SQE_WORDS * this.capacity)
    munmap(this.#ringsAddress, this.#ringsLen)
    close(this.#fd)
  }
}

function words32(address: number, length: number): Uint32Array {
  return new Uint32Array(viewMemory(address, length).buffer)
}
