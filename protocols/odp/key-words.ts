/** Fields of flow words (protocols/flow-key.ts) that are not a word, or part of one, by themselves. */
import { W_ARP_SHA, W_DL_DST, W_ND_LL } from '../flow-key.ts'

type Words = Uint32Array

const HALF = 0x1_0000
const WORD = 0x1_0000_0000

/** Two MAC addresses lie in three words: the first in the upper half. */
const first = (w: Words, at: number): number => w[at] * HALF + (w[at + 1] >>> 16)
const second = (w: Words, at: number): number => (w[at + 1] & 0xffff) * WORD + w[at + 2]

function setFirst(w: Words, at: number, mac: number): void {
  w[at] = Math.floor(mac / HALF)
  w[at + 1] = ((w[at + 1] & 0xffff) | ((mac % HALF) << 16)) >>> 0
}

function setSecond(w: Words, at: number, mac: number): void {
  w[at + 1] = ((w[at + 1] & 0xffff_0000) | Math.floor(mac / WORD)) >>> 0
  w[at + 2] = mac % WORD
}

export const ethDst = (w: Words): number => first(w, W_DL_DST)
export const ethSrc = (w: Words): number => second(w, W_DL_DST)
export const arpSha = (w: Words): number => first(w, W_ARP_SHA)
export const arpTha = (w: Words): number => second(w, W_ARP_SHA)
export const ndSll = (w: Words): number => first(w, W_ND_LL)
export const ndTll = (w: Words): number => second(w, W_ND_LL)
export const setEthDst = (w: Words, mac: number): void => setFirst(w, W_DL_DST, mac)
export const setEthSrc = (w: Words, mac: number): void => setSecond(w, W_DL_DST, mac)
export const setArpSha = (w: Words, mac: number): void => setFirst(w, W_ARP_SHA, mac)
export const setArpTha = (w: Words, mac: number): void => setSecond(w, W_ARP_SHA, mac)
export const setNdSll = (w: Words, mac: number): void => setFirst(w, W_ND_LL, mac)
export const setNdTll = (w: Words, mac: number): void => setSecond(w, W_ND_LL, mac)

/** Four words as the bytes of an IPv6 address. */
export function addressAt(w: Words, at: number): Uint8Array {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = w[at + (i >>> 2)] >>> (24 - 8 * (i & 3))
  return bytes
}

export function setAddressAt(w: Words, at: number, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  for (let i = 0; i < 4; i++) w[at + i] = view.getUint32(4 * i)
}
