/** What a driver says of its interface, by the ioctls of ethtool(8). Asked in the namespace of the calling thread. */
import { AF_INET, checked, close, ioctl, SOCK_CLOEXEC, SOCK_DGRAM, socket } from './libc.ts'
import { IFREQ_DATA, IFREQ_LEN, putIfreq } from './link.ts'
import { SCRATCH, scratch8, scratch32 } from './memory.ts'

const SIOCETHTOOL = 0x8946
const ETHTOOL_GSET = 1
const ETHTOOL_GDRVINFO = 3

/** Where the command's own structure lies in the scratch page, behind struct ifreq. */
const DATA = 64
const DATA_LENGTH = 256
const WORD = 32

export interface DriverInfo {
  readonly driver: string
  readonly version: string
  readonly firmware: string
}

export interface LinkMode {
  /** Bits a second. */
  readonly speed: number
  readonly duplex: 'half' | 'full'
}

/** Undefined when the driver does not say, or there is no such interface. */
export function driverInfo(name: string): DriverInfo | undefined {
  if (!ask(name, ETHTOOL_GDRVINFO)) return undefined
  const text = (index: number) => {
    let value = ''
    const start = DATA + 4 + index * WORD
    for (let i = start; i < start + WORD && scratch8[i] !== 0; i++) value += String.fromCharCode(scratch8[i]!)
    return value
  }
  return { driver: text(0), version: text(1), firmware: text(2) }
}

/** Undefined when the driver does not say. */
export function linkMode(name: string): LinkMode | undefined {
  if (!ask(name, ETHTOOL_GSET)) return undefined
  const low = scratch8[DATA + 12]! | (scratch8[DATA + 13]! << 8)
  const high = scratch8[DATA + 28]! | (scratch8[DATA + 29]! << 8)
  const megabits = high * 0x1_0000 + low
  // All ones: unknown, of either width.
  if (megabits === 0 || megabits === 0xffff || megabits === 0xffff_ffff) return undefined
  return { speed: megabits * 1_000_000, duplex: scratch8[DATA + 14] === 1 ? 'full' : 'half' }
}

function ask(name: string, command: number): boolean {
  const fd = checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'AF_INET')
  try {
    scratch8.fill(0, IFREQ_LEN, DATA + DATA_LENGTH)
    putIfreq(name)
    const pointer = new BigUint64Array(scratch8.buffer, IFREQ_DATA, 1)
    pointer[0] = BigInt(SCRATCH + DATA)
    scratch32[DATA / 4] = command
    return ioctl(fd, SIOCETHTOOL, SCRATCH) >= 0
  } catch {
    return false
  } finally {
    close(fd)
  }
}
