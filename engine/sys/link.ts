/**
 * What the kernel knows about a network interface, asked and changed by ioctl, netdevice(7). Names are looked
 * up in the namespace of the calling thread, or in that of the socket the caller gives.
 */
import { readFileSync } from 'node:fs'
import { AF_INET, checked, close, ioctl, SOCK_CLOEXEC, SOCK_DGRAM, socket } from './libc.ts'
import { SCRATCH, scratch8, scratch32 } from './memory.ts'

const SIOCGIFNAME = 0x8910
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCSIFHWADDR = 0x8924
const SIOCGIFHWADDR = 0x8927
const SIOCGIFINDEX = 0x8933

const ARPHRD_ETHER = 1
const ARPHRD_LOOPBACK = 772

export const IFF_UP = 0x1
export const IFF_RUNNING = 0x40

/** Longest name of an interface, IFNAMSIZ without the final zero. */
export const MAX_NAME = 15
/** struct ifreq: the name, then a union; on 64-bit machines 40 bytes. */
export const IFREQ_LEN = 40
/** Where in struct ifreq the union begins. */
export const IFREQ_DATA = 16

/**
 * Writes a zeroed struct ifreq with this name at the start of the scratch page.
 * @throws RangeError when the name cannot be that of an interface
 */
export function putIfreq(name: string): void {
  if (name.length === 0 || name.length > MAX_NAME || !/^[!-~]+$/.test(name) || name.includes('/')) {
    throw new RangeError(
      `"${name}" cannot name an interface: 1 to ${MAX_NAME} visible ASCII characters without "/"`,
    )
  }
  scratch8.fill(0, 0, IFREQ_LEN)
  for (let i = 0; i < name.length; i++) scratch8[i] = name.charCodeAt(i)
}

/** The name in the struct ifreq at the start of the scratch page. */
export function ifreqName(): string {
  let name = ''
  for (let i = 0; i < MAX_NAME && scratch8[i] !== 0; i++) name += String.fromCharCode(scratch8[i])
  return name
}

function request(fd: number, code: number, call: string, subject: string): void {
  if (fd >= 0) {
    checked(ioctl(fd, code, SCRATCH), call, subject)
    return
  }
  const own = checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'AF_INET')
  try {
    checked(ioctl(own, code, SCRATCH), call, subject)
  } finally {
    close(own)
  }
}

/** All interfaces of the calling thread's namespace. */
export function linkNames(): string[] {
  // Two lines of headings, then one an interface: name, colon, counters. No name has a colon in it.
  const lines = readFileSync('/proc/thread-self/net/dev', 'utf8').trimEnd().split('\n').slice(2)
  return lines.map((line) => line.slice(0, line.indexOf(':')).trim())
}

/** @throws SystemError ENODEV */
export function linkIndex(name: string, fd = -1): number {
  putIfreq(name)
  request(fd, SIOCGIFINDEX, 'SIOCGIFINDEX', name)
  return scratch32[IFREQ_DATA / 4]
}

/** @throws SystemError ENODEV */
export function linkName(index: number, fd = -1): string {
  scratch8.fill(0, 0, IFREQ_LEN)
  scratch32[IFREQ_DATA / 4] = index
  request(fd, SIOCGIFNAME, 'SIOCGIFNAME', `index ${index}`)
  return ifreqName()
}

/** IFF_* bits. @throws SystemError ENODEV */
export function linkFlags(name: string, fd = -1): number {
  putIfreq(name)
  request(fd, SIOCGIFFLAGS, 'SIOCGIFFLAGS', name)
  return scratch8[IFREQ_DATA] | (scratch8[IFREQ_DATA + 1] << 8)
}

/** Takes the interface up or down. @throws SystemError ENODEV, EPERM */
export function setLinkUp(name: string, up: boolean, fd = -1): void {
  const flags = linkFlags(name, fd)
  const wanted = up ? flags | IFF_UP : flags & ~IFF_UP
  if (wanted === flags) return
  putIfreq(name)
  scratch8[IFREQ_DATA] = wanted
  scratch8[IFREQ_DATA + 1] = wanted >>> 8
  request(fd, SIOCSIFFLAGS, 'SIOCSIFFLAGS', name)
}

/** Bytes. @throws SystemError ENODEV */
export function linkMtu(name: string, fd = -1): number {
  putIfreq(name)
  request(fd, SIOCGIFMTU, 'SIOCGIFMTU', name)
  return scratch32[IFREQ_DATA / 4]
}

/** @throws SystemError ENODEV, EPERM, EINVAL */
export function setLinkMtu(name: string, mtu: number, fd = -1): void {
  putIfreq(name)
  scratch32[IFREQ_DATA / 4] = mtu
  request(fd, SIOCSIFMTU, 'SIOCSIFMTU', name)
}

/** The hardware address as a 48-bit number. @throws SystemError ENODEV */
export function linkMac(name: string, fd = -1): number {
  putIfreq(name)
  request(fd, SIOCGIFHWADDR, 'SIOCGIFHWADDR', name)
  let mac = 0
  for (let i = 0; i < 6; i++) mac = mac * 256 + scratch8[IFREQ_DATA + 2 + i]
  return mac
}

/** Whether its frames are Ethernet's; those of tunnels without a link header are not. @throws SystemError ENODEV */
export function linkIsEthernet(name: string, fd = -1): boolean {
  putIfreq(name)
  request(fd, SIOCGIFHWADDR, 'SIOCGIFHWADDR', name)
  const type = scratch8[IFREQ_DATA] | (scratch8[IFREQ_DATA + 1] << 8)
  return type === ARPHRD_ETHER || type === ARPHRD_LOOPBACK
}

/** @param mac 48-bit number. @throws SystemError ENODEV, EPERM, EADDRNOTAVAIL for a group address */
export function setLinkMac(name: string, mac: number, fd = -1): void {
  putIfreq(name)
  putHardwareAddress(mac)
  request(fd, SIOCSIFHWADDR, 'SIOCSIFHWADDR', name)
}

function putHardwareAddress(mac: number): void {
  scratch8[IFREQ_DATA] = ARPHRD_ETHER
  let rest = mac
  for (let i = 5; i >= 0; i--) {
    scratch8[IFREQ_DATA + 2 + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}
