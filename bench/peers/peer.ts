/**
 * Switches side by side: each is brought up between two hosts that look alike, is measured, and taken down again.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A host: a namespace with one interface. */
export interface Host {
  readonly namespace: string
  readonly device: string
  readonly address: string
}

/** Two hosts that reach each other. */
export interface Network {
  readonly from: Host
  readonly to: Host
  /** Where `from` sends Ethernet frames for `to`: its address, or a router's. */
  readonly nextHop: string
  /** Processes that carry the frames; none where it is the kernel that does. */
  readonly pids: readonly number[]
  /** Adds an OpenFlow rule to its bridge, where it has OpenFlow. */
  addFlow?(flow: string): void
  stop(): Promise<void>
}

export interface Peer {
  readonly name: string
  /** Which program it needs that this machine lacks. */
  readonly missing?: string | undefined
  /** How the names of the figures begin that it is there for, where it is not there for all. */
  readonly only?: string
  /** The hosts' programs run on any processor, also that which is the switch's otherwise. */
  readonly anywhere?: true
  start(): Promise<Network>
}

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The first of these programs that is not installed. */
export function lacking(...programs: string[]): string | undefined {
  return programs.find((program) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
      return false
    } catch {
      return true
    }
  })
}

/** Makes the namespaces of hosts, loopback up. */
export function addNamespaces(...names: string[]): void {
  for (const name of names) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
}

/** A host whose eth0 is in place. @param address with the length of its prefix */
export function hostOf(namespace: string, address: string): Host {
  return { namespace, device: 'eth0', address: address.slice(0, address.indexOf('/')) }
}

/** Gives the eth0 of a namespace its address and takes it up. */
export function configure(namespace: string, address: string, gateway?: string): Host {
  ip('-n', namespace, 'addr', 'add', address, 'dev', 'eth0')
  ip('-n', namespace, 'link', 'set', 'eth0', 'up')
  if (gateway !== undefined) ip('-n', namespace, 'route', 'add', 'default', 'via', gateway)
  return hostOf(namespace, address)
}

/** Moves a device that exists into a host's namespace, as its eth0, and gives it its address. */
export function equip(device: string, namespace: string, address: string, gateway?: string): Host {
  ip('link', 'set', device, 'netns', namespace, 'name', 'eth0')
  return configure(namespace, address, gateway)
}

/** A veth pair whose one end is a host's eth0; the other is `device`, up, in the namespace of the caller. */
export function wire(device: string, namespace: string, address: string, gateway?: string): Host {
  ip('link', 'add', device, 'up', 'type', 'veth', 'peer', 'name', `${device}-h`)
  return equip(`${device}-h`, namespace, address, gateway)
}

/** An interface, and where it is. */
type Interface = Pick<Host, 'namespace' | 'device'>

export function macOf({ namespace, device }: Interface): string {
  return JSON.parse(ip('-n', namespace, '-j', 'link', 'show', device))[0].address
}

/** Frames that have reached a host. */
export function received({ namespace, device }: Interface): number {
  return JSON.parse(ip('-n', namespace, '-s', '-j', 'link', 'show', device))[0].stats64.rx.packets
}

/** Seconds of processor time that processes have used. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / 100
}

/** Bytes of memory that processes have resident. */
export function resident(pids: readonly number[]): number {
  let kib = 0
  for (const pid of pids) {
    kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  }
  return kib * 1024
}

export const INSIDE = '10.99.0.1/24'
export const BESIDE = '10.99.0.2/24'
export const GATEWAY = '10.99.0.254'
export const OUTSIDE = '10.99.1.2/24'
export const TRANSLATED = '10.99.1.254'
