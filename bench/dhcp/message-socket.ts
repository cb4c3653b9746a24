/** A UDP socket that broadcasts and receives many messages in one system call: sendmmsg(2) and recvmmsg(2). */
import koffi from 'koffi'
import { mapMemory } from '../../engine/sys/memory.ts'
import {
  AF_INET,
  bind,
  ONE,
  SOCK_DGRAM,
  SOL_SOCKET,
  setsockopt,
  socket,
  socketAddress,
} from '../device/sockets.ts'

const libc = koffi.load('libc.so.6')
type Many = (fd: number, messages: number, count: number, flags: number, ...timeout: number[]) => number
const sendmmsg = libc.func('int sendmmsg(int, uintptr_t, uint32, int)') as Many
const recvmmsg = libc.func('int recvmmsg(int, uintptr_t, uint32, int, uintptr_t)') as Many

const SO_BROADCAST = 6
const SO_BINDTODEVICE = 25
const SO_RCVBUFFORCE = 33
const MSG_DONTWAIT = 0x40
/** Bytes of answers that wait here: who measures is not to be what loses them. */
const RECEIVE_BUFFER = 1 << 24

/** Messages in one call. */
const MESSAGES = 64
/** Calls for as many, should the system take but a part of them, or none for a while. */
const MAX_CALLS = 1000
/** Room for the longest. */
const CELL = 1024
/** struct mmsghdr: the eight-byte words of struct msghdr, then the length of what came. */
const MMSGHDR = 64
const [NAME, NAME_LENGTH, VECTOR, VECTORS, RECEIVED] = [0, 1, 2, 3, 7]
/** struct iovec */
const IOVEC = 16
const SOCKADDR_IN = 16

/** Cells, and the structures that say where they are. */
class Messages {
  readonly address: number
  readonly bytes: Uint8Array
  readonly #words: BigUint64Array
  readonly #vectors = MESSAGES * CELL
  readonly #headers = this.#vectors + MESSAGES * IOVEC
  readonly #to = this.#headers + MESSAGES * MMSGHDR

  /** @param to where to send them */
  constructor(to?: Uint8Array) {
    const memory = mapMemory(this.#to + SOCKADDR_IN)
    this.bytes = memory.bytes
    this.#words = new BigUint64Array(memory.bytes.buffer)
    if (to !== undefined) this.bytes.set(to, this.#to)
    for (let i = 0; i < MESSAGES; i++) {
      this.#put(this.#vectors + i * IOVEC, 0, memory.address + i * CELL)
      this.setLength(i, CELL)
      const header = this.#headers + i * MMSGHDR
      if (to !== undefined) this.#put(header, NAME, memory.address + this.#to)
      if (to !== undefined) this.#put(header, NAME_LENGTH, SOCKADDR_IN)
      this.#put(header, VECTOR, memory.address + this.#vectors + i * IOVEC)
      this.#put(header, VECTORS, 1)
    }
    this.address = memory.address + this.#headers
  }

  setLength(i: number, length: number): void {
    this.#put(this.#vectors + i * IOVEC, 1, length)
  }

  /** Bytes of the one that came. */
  received(i: number): number {
    return Number(this.#words[(this.#headers + i * MMSGHDR) / 8 + RECEIVED])
  }

  #put(structure: number, word: number, value: number): void {
    this.#words[structure / 8 + word] = BigInt(value)
  }
}

export class MessageSocket {
  readonly #fd: number
  readonly #out: Messages
  readonly #in = new Messages()
  #waiting = 0

  /** A socket of a device's address, that broadcasts to the same port. */
  constructor(device: string, address: string, port: number) {
    this.#fd = socket(AF_INET, SOCK_DGRAM, 0)
    const size = new Uint8Array(Int32Array.of(RECEIVE_BUFFER).buffer)
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4)
    setsockopt(this.#fd, SOL_SOCKET, SO_BROADCAST, ONE, 4)
    setsockopt(this.#fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(device), device.length)
    const own = socketAddress(address, port)
    if (bind(this.#fd, own, own.length) < 0) throw new Error(`no socket of ${address}:${port}`)
    this.#out = new Messages(socketAddress('255.255.255.255', port))
  }

  /** Sends a copy of the message, with the others, once `finish` has filled it in. */
  send(message: Uint8Array, finish: (bytes: Uint8Array, at: number) => void): void {
    if (this.#waiting === MESSAGES) this.flush()
    const at = this.#waiting * CELL
    this.#out.bytes.set(message, at)
    this.#out.setLength(this.#waiting++, message.length)
    finish(this.#out.bytes, at)
  }

  /** @throws Error when they cannot be sent: what is lost here is not to pass for the receiver's loss */
  flush(): void {
    for (let sent = 0, calls = 0; sent < this.#waiting; calls++) {
      if (calls === MAX_CALLS) throw new Error(`${this.#waiting - sent} messages cannot be sent`)
      sent += Math.max(0, sendmmsg(this.#fd, this.#out.address + sent * MMSGHDR, this.#waiting - sent, 0))
    }
    this.#waiting = 0
  }

  /** Hands over what has come, if not too much; how many messages those were. */
  receive(take: (bytes: Uint8Array, at: number, length: number) => void): number {
    const count = recvmmsg(this.#fd, this.#in.address, MESSAGES, MSG_DONTWAIT, 0)
    for (let i = 0; i < count; i++) take(this.#in.bytes, i * CELL, this.#in.received(i))
    return count
  }
}
