/**
 * OpenFlow port numbers: 32 bits in the neutral form, as in OpenFlow 1.1 and later. OpenFlow 1.0 has 16 bits
 * and its reserved ports from 0xfff8 up; what lies between the two has no number in 1.0.
 */

/** Ordinary ports are below (1 to 0xfeff). */
export const OFPP_MAX = 0xff00
/** Only for "unset" of actset_output. */
export const OFPP_UNSET = 0xffff_fff7
export const OFPP_IN_PORT = 0xffff_fff8
export const OFPP_TABLE = 0xffff_fff9
export const OFPP_NORMAL = 0xffff_fffa
export const OFPP_FLOOD = 0xffff_fffb
export const OFPP_ALL = 0xffff_fffc
export const OFPP_CONTROLLER = 0xffff_fffd
export const OFPP_LOCAL = 0xffff_fffe
export const OFPP_NONE = 0xffff_ffff
/** OpenFlow 1.1 and later call "no port" ANY. */
export const OFPP_ANY = OFPP_NONE

const FIRST_RESERVED = 0xffff_fff7
const FIRST_RESERVED10 = 0xfff7
const OFFSET = 0xffff_0000

/** From 16 bits on the wire of OpenFlow 1.0 and NXM. */
export function portFromOf10(port: number): number {
  return port >= FIRST_RESERVED10 ? port + OFFSET : port
}

/** To 16 bits, or undefined where OpenFlow 1.0 has no such number. */
export function portToOf10(port: number): number | undefined {
  if (port >= FIRST_RESERVED) return port - OFFSET
  return port < OFPP_MAX ? port : undefined
}

/** From 32 bits on the wire; undefined for numbers that Open vSwitch refuses (0xff00 to 0xfffffff6). */
export function portFromOf11(port: number): number | undefined {
  return port < OFPP_MAX || port >= FIRST_RESERVED ? port : undefined
}

const RESERVED: readonly (readonly [string, number])[] = [
  ['IN_PORT', OFPP_IN_PORT],
  ['TABLE', OFPP_TABLE],
  ['NORMAL', OFPP_NORMAL],
  ['FLOOD', OFPP_FLOOD],
  ['ALL', OFPP_ALL],
  ['CONTROLLER', OFPP_CONTROLLER],
  ['LOCAL', OFPP_LOCAL],
  ['ANY', OFPP_NONE],
  ['UNSET', OFPP_UNSET],
]

/** Names of ports in text: numbers are always accepted, names where a resolver knows them. */
export interface PortNames {
  numberOf(name: string): number | undefined
  nameOf(port: number): string | undefined
}

/** LOCAL, NORMAL … in any case of letters; undefined for other words. */
export function reservedPort(text: string): number | undefined {
  const upper = text.toUpperCase()
  if (upper === 'NONE') return OFPP_NONE
  return RESERVED.find(([name]) => name === upper)?.[1]
}

export function reservedPortName(port: number): string | undefined {
  return RESERVED.find(([, n]) => n === port)?.[0]
}
