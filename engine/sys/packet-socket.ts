/**
 * Packet sockets with rings, packet(7) and Documentation/networking/packet_mmap.rst, TPACKET_V2.
 *
 * Slots hold a frame of the interface's MTU. Larger ones (GSO frames of up to 64 KiB, which veth peers hand
 * over whole) would need slots of 64 KiB and a ring of tens of megabytes to absorb a burst of small frames;
 * instead the kernel queues such a frame beside the ring (PACKET_COPY_THRESH), where one recv() fetches it, and
 * on the way out it leaves by a second socket without rings, because a socket that has a transmit ring sends
 * nothing else. One system call for 64 KiB is noise.
 *
 * PACKET_QDISC_BYPASS is left alone: it drops every frame the device cannot segment itself.
 */
import {
  AF_PACKET,
  bindSocket,
  checked,
  close,
  EINVAL,
  getsockname,
  getsockopt,
  mmap,
  munmap,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SystemError,
  setsockopt,
  socket,
} from './libc.ts'
import { IFF_RUNNING, IFF_UP, linkFlags, linkIndex, linkIsEthernet, linkMtu, linkName } from './link.ts'
import { SCRATCH, scratch32, viewMemory } from './memory.ts'

const SOL_SOCKET = 1
const SO_ERROR = 4
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33

const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_RX_RING = 5
const PACKET_STATISTICS = 6
const PACKET_COPY_THRESH = 7
const PACKET_VERSION = 10
const PACKET_TX_RING = 13
const PACKET_LOSS = 14
const PACKET_VNET_HDR = 15
const PACKET_TX_HAS_OFF = 19
const PACKET_IGNORE_OUTGOING = 23

const TPACKET_V2 = 1
const PACKET_MR_PROMISC = 1
const ETH_P_ALL = 3
const SOCKADDR_LL_LEN = 20

/** struct tpacket2_hdr at the start of a slot: offsets in bytes. */
export const TP_STATUS = 0
export const TP_LEN = 4
export const TP_SNAPLEN = 8
export const TP_MAC = 12
export const TP_VLAN_TCI = 24
export const TP_VLAN_TPID = 26
/** struct sockaddr_ll behind the header of a receive slot: its sll_pkttype. */
export const TP_PKTTYPE = 32 + 10
/** From where on a transmit slot may hold the virtio-net header and the frame; TP_MAC says where they do. */
export const TX_DATA = 32
export const PACKET_OUTGOING = 4

/** Status of a receive slot; 0 while it is the kernel's. */
export const TP_STATUS_USER = 0x01
/** The frame did not fit the slot; the whole of it is queued for recv(). */
export const TP_STATUS_COPY = 0x02
export const TP_STATUS_CSUMNOTREADY = 0x08
export const TP_STATUS_VLAN_VALID = 0x10
export const TP_STATUS_VLAN_TPID_VALID = 0x40
/** Status of a transmit slot; 0 while it is ours. */
export const TP_STATUS_SEND_REQUEST = 0x01
export const TP_STATUS_SENDING = 0x02

/** Where every store comes after the loads before it, and a barrier would wait for more than these. */
const STORES_IN_ORDER = process.arch === 'x64'

/** A receive slot is the kernel's again; what has been loaded of it has been loaded before. */
export function giveBack(ring32: Uint32Array, slot: number): void {
  if (STORES_IN_ORDER) ring32[slot >>> 2] = 0
  else Atomics.store(ring32, slot >>> 2, 0)
}

const BLOCK = 65_536
/** Of the rings of one interface; receiving takes twice as many as sending. */
const MOST_TX_BLOCKS = 32
const FEWEST_TX_BLOCKS = 2
/** So many interfaces have the longest rings; a thousand of these would take 6 GB. */
const FEW_SOCKETS = 16
let sockets = 0

/** With every doubling of the interfaces those to come have rings half as long. */
function txBlocksOfNext(): number {
  const doublings = Math.max(0, Math.ceil(Math.log2((sockets + 1) / FEW_SOCKETS)))
  return Math.max(FEWEST_TX_BLOCKS, MOST_TX_BLOCKS >> doublings)
}
export const CACHE_LINE = 64
/** tpacket2_hdr, sockaddr_ll, virtio-net header and alignment, at the most. */
const SLOT_OVERHEAD = 128
/** Interfaces with more than jumbo frames (loopback) use the path of large frames. */
const LARGEST_SLOT_MTU = 9216
const BIG_FRAME_BUFFER = 16 * 1024 * 1024

export interface PacketSocket {
  /** Receives by its ring and transmits by its ring; to be polled. */
  readonly fd: number
  /** Transmits by send(), frames that fit no slot. */
  readonly plainFd: number
  readonly index: number
  readonly mtu: number
  /** Whether frames carry a virtio-net header. */
  readonly vnet: boolean
  /** Both rings, receive slots first. */
  readonly address: number
  readonly bytes: Uint8Array
  readonly slotLen: number
  readonly slotsPerBlock: number
  readonly blockLen: number
  readonly rxBlocks: number
  readonly txBlocks: number
}

/**
 * Attaches to an interface of the calling thread's namespace: promiscuous, everything that comes in, nothing
 * that goes out.
 * @param vnet ask for virtio-net headers
 * @throws SystemError ENODEV when there is no such interface, EINVAL when it is not Ethernet, EPERM
 */
export function openPacketSocket(device: string, vnet: boolean): PacketSocket {
  const type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK
  // Protocol 0 receives nothing until bind() names one: no frame of another interface slips in before.
  const fd = checked(socket(AF_PACKET, type, 0), 'socket', 'AF_PACKET')
  let plainFd = -1
  let address = 0
  const txBlocks = txBlocksOfNext()
  const rxBlocks = 2 * txBlocks
  const length = (rxBlocks + txBlocks) * BLOCK
  try {
    const index = linkIndex(device, fd)
    if (!linkIsEthernet(device, fd))
      throw new SystemError('bind', `${device}, not an Ethernet interface`, EINVAL)
    const mtu = linkMtu(device, fd)
    plainFd = checked(socket(AF_PACKET, type, 0), 'socket', 'AF_PACKET')
    option(fd, PACKET_VERSION, TPACKET_V2, 'PACKET_VERSION')
    if (vnet) {
      option(fd, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR')
      option(plainFd, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR')
    }
    option(fd, PACKET_COPY_THRESH, 1, 'PACKET_COPY_THRESH')
    // A frame the kernel refuses is skipped, where it would otherwise block the ring.
    option(fd, PACKET_LOSS, 1, 'PACKET_LOSS')
    option(fd, PACKET_TX_HAS_OFF, 1, 'PACKET_TX_HAS_OFF')
    // Before Linux 4.20 the option is unknown; the reader skips such frames as well.
    setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BIG_FRAME_BUFFER)
    setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, BIG_FRAME_BUFFER)
    setOption(plainFd, SOL_SOCKET, SO_SNDBUFFORCE, BIG_FRAME_BUFFER)

    const lines = Math.ceil((Math.min(mtu, LARGEST_SLOT_MTU) + 22 + SLOT_OVERHEAD) / CACHE_LINE)
    // An odd number of lines spreads the headers over the cache sets.
    const slotLen = (lines | 1) * CACHE_LINE
    const slotsPerBlock = Math.floor(BLOCK / slotLen)
    ring(fd, PACKET_RX_RING, rxBlocks, slotLen, slotsPerBlock, 'PACKET_RX_RING')
    ring(fd, PACKET_TX_RING, txBlocks, slotLen, slotsPerBlock, 'PACKET_TX_RING')
    const PROT_READ_WRITE = 3
    const MAP_SHARED = 1
    address = checked(mmap(0, length, PROT_READ_WRITE, MAP_SHARED, fd, 0), 'mmap', `rings of ${device}`)

    attach(plainFd, 0, index, device)
    attach(fd, ETH_P_ALL, index, device)
    scratch32.fill(0, 0, 4)
    scratch32[0] = index
    scratch32[1] = PACKET_MR_PROMISC
    checked(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, SCRATCH, 16), 'PACKET_ADD_MEMBERSHIP', device)
    sockets++
    return {
      fd,
      plainFd,
      index,
      mtu,
      vnet,
      address,
      bytes: viewMemory(address, length),
      slotLen,
      slotsPerBlock,
      blockLen: BLOCK,
      rxBlocks,
      txBlocks,
    }
  } catch (error) {
    if (address > 0) munmap(address, length)
    if (plainFd >= 0) close(plainFd)
    close(fd)
    throw error
  }
}

export function closePacketSocket(s: PacketSocket): void {
  sockets--
  munmap(s.address, s.bytes.length)
  close(s.plainFd)
  close(s.fd)
}

/** Where in the rings each slot of a run of blocks begins; a block holds whole slots and some space at its end. */
export function slotOffsets(s: PacketSocket, firstBlock: number, blocks: number): Uint32Array {
  const out = new Uint32Array(blocks * s.slotsPerBlock)
  for (let i = 0; i < out.length; i++) {
    const block = firstBlock + Math.floor(i / s.slotsPerBlock)
    out[i] = block * s.blockLen + (i % s.slotsPerBlock) * s.slotLen
  }
  return out
}

/** What `packetSocketLink` answers about an interface. */
export interface Link {
  readonly state: 'up' | 'down' | 'gone'
  readonly mtu: number
}

/** The interface as it is now, whatever its name, asked in the socket's own namespace. */
export function packetSocketLink(s: PacketSocket): Link {
  // A pending ENETDOWN would make poll() return at once until somebody fetches it.
  scratch32[2] = 4
  getsockopt(s.fd, SOL_SOCKET, SO_ERROR, SCRATCH, SCRATCH + 8)
  scratch32[8] = SOCKADDR_LL_LEN
  getsockname(s.fd, SCRATCH, SCRATCH + 32)
  // The kernel writes -1 when the interface is unregistered; an interface that returns has a new index.
  if (scratch32[1] !== s.index) return { state: 'gone', mtu: s.mtu }
  try {
    const name = linkName(s.index, s.fd)
    const flags = linkFlags(name, s.fd)
    const up = (flags & (IFF_UP | IFF_RUNNING)) === (IFF_UP | IFF_RUNNING)
    return { state: up ? 'up' : 'down', mtu: linkMtu(name, s.fd) }
  } catch {
    return { state: 'gone', mtu: s.mtu }
  }
}

/** Frames the kernel dropped for want of slots since this was last asked. */
export function packetSocketDrops(s: PacketSocket): number {
  scratch32[0] = 0
  scratch32[1] = 0
  scratch32[2] = 8
  if (getsockopt(s.fd, SOL_PACKET, PACKET_STATISTICS, SCRATCH, SCRATCH + 8) < 0) return 0
  return scratch32[1] >>> 0
}

function setOption(fd: number, level: number, name: number, value: number): number {
  scratch32[0] = value
  return setsockopt(fd, level, name, SCRATCH, 4)
}

function option(fd: number, name: number, value: number, what: string): void {
  checked(setOption(fd, SOL_PACKET, name, value), 'setsockopt', what)
}

/** struct tpacket_req. */
function ring(
  fd: number,
  name: number,
  blocks: number,
  slotLen: number,
  perBlock: number,
  what: string,
): void {
  scratch32[0] = BLOCK
  scratch32[1] = blocks
  scratch32[2] = slotLen
  scratch32[3] = perBlock * blocks
  checked(setsockopt(fd, SOL_PACKET, name, SCRATCH, 16), 'setsockopt', what)
}

/** Binds by struct sockaddr_ll. */
function attach(fd: number, protocol: number, index: number, device: string): void {
  scratch32.fill(0, 0, 5)
  // Host order family, network order protocol.
  scratch32[0] = AF_PACKET | ((((protocol & 0xff) << 8) | (protocol >>> 8)) << 16)
  scratch32[1] = index
  checked(bindSocket(fd, SCRATCH, SOCKADDR_LL_LEN), 'bind', device)
}
