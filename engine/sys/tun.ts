/**
 * TAP interfaces, Documentation/networking/tuntap.rst. An interface lives as long as its descriptor and can be
 * moved to another namespace while the descriptor stays here.
 */
import { checked, close, ioctl, O_CLOEXEC, O_NONBLOCK, O_RDWR, open, poll } from './libc.ts'
import { IFREQ_DATA, ifreqName, linkMtu, putIfreq, setLinkMac, setLinkMtu, setLinkUp } from './link.ts'
import { SCRATCH, scratch8, scratch32 } from './memory.ts'
import { inNamespaceOf } from './netns.ts'

const TUNSETIFF = 0x400454ca
const TUNSETOFFLOAD = 0x400454d0
const TUNGETIFF = 0x800454d2
const TUNSETVNETHDRSZ = 0x400454d8
const TUNGETDEVNETNS = 0x54e3

const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
/** Refuse to attach to an interface that is already there. */
const IFF_TUN_EXCL = 0x8000

export const TUN_F_CSUM = 0x01
export const TUN_F_TSO4 = 0x02
export const TUN_F_TSO6 = 0x04
export const TUN_F_TSO_ECN = 0x08
export const TUN_F_USO4 = 0x20
export const TUN_F_USO6 = 0x40

/** The virtio-net header in front of every frame: struct virtio_net_hdr_v1, without which USO is refused. */
export const TUN_VNET_LEN = 12

const ACCEPTED = [
  // The two USO bits go together or not at all; kernels before 6.2 have neither.
  TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
  TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
  TUN_F_CSUM,
  0,
] as const

export interface Tap {
  readonly fd: number
  /** TUN_F_* bits: what the kernel may leave to us. */
  readonly offloads: number
}

/**
 * Makes a TAP in the namespace of the calling thread, non-blocking, closed on exec, with as many offloads as
 * the kernel knows. It is left down.
 * @param mac 48-bit address of the interface (the host's side), or undefined for the kernel's choice
 * @throws SystemError EBUSY when an interface of the name exists, EPERM, ENOENT or ENODEV without /dev/net/tun;
 *   RangeError for a name no interface can have
 */
export function openTap(name: string, mtu: number, mac?: number): Tap {
  const fd = checked(open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC, 0), 'open', '/dev/net/tun')
  try {
    putIfreq(name)
    const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL
    scratch8[IFREQ_DATA] = flags
    scratch8[IFREQ_DATA + 1] = flags >>> 8
    checked(ioctl(fd, TUNSETIFF, SCRATCH), 'TUNSETIFF', name)
    scratch32[0] = TUN_VNET_LEN
    checked(ioctl(fd, TUNSETVNETHDRSZ, SCRATCH), 'TUNSETVNETHDRSZ', name)
    const offloads = ACCEPTED.find((bits) => ioctl(fd, TUNSETOFFLOAD, bits) === 0) ?? 0
    setLinkMtu(name, mtu)
    if (mac !== undefined) setLinkMac(name, mac)
    return { fd, offloads }
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Whether the interface takes frames. One poll(2), from any namespace. */
export function tapState(fd: number): 'up' | 'down' | 'gone' {
  const POLLOUT = 4
  const POLLERR_HUP_NVAL = 0x38
  scratch32[0] = fd
  scratch32[1] = POLLOUT
  if (poll(SCRATCH, 1, 0) <= 0) return 'down'
  const revents = scratch32[1] >>> 16
  return revents & POLLERR_HUP_NVAL ? 'gone' : 'up'
}

/**
 * Runs `action` with the interface's present name, in the namespace it now lives in. Does nothing when the
 * interface is gone.
 */
export function withTap(fd: number, action: (name: string) => void): void {
  const namespace = ioctl(fd, TUNGETDEVNETNS, 0)
  if (namespace < 0) return
  try {
    inNamespaceOf(namespace, 'namespace of a TAP', () => {
      scratch8.fill(0, 0, 40)
      if (ioctl(fd, TUNGETIFF, SCRATCH) === 0) action(ifreqName())
    })
  } finally {
    close(namespace)
  }
}

/** The interface's MTU, wherever it is; undefined when it is gone. */
export function tapMtu(fd: number): number | undefined {
  let mtu: number | undefined
  try {
    withTap(fd, (name) => {
      mtu = linkMtu(name)
    })
  } catch {
    // It vanished between two calls.
  }
  return mtu
}

/**
 * Takes the interface down, wherever it is, and closes the descriptor, upon which it ceases to exist. Down
 * first, because a packet socket that is still sending to a TAP while it is destroyed can crash the kernel.
 */
export function closeTap(fd: number): void {
  try {
    withTap(fd, (name) => setLinkUp(name, false))
  } catch {
    // It vanished between two calls, which is what was wanted.
  }
  close(fd)
}
