/** HELLO with its version bitmap (OpenFlow 1.3.1 §7.5.1). */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { BodyCodec } from './message-codec.ts'

export interface Hello {
  /** 1 << version for each version that is offered; from the header's version alone where no bitmap came. */
  versions: number
}

const OFPHET_VERSIONBITMAP = 1

/** Bit of each version from 1.0 to the given one: what a HELLO without a bitmap offers (OpenFlow 1.0 §5.5.1). */
export function versionsUpTo(version: number): number {
  return version < 1 ? 0 : (2 << Math.min(version, 29)) - 2
}

/** The highest version of a bitmap; 0 for none. */
export function highestVersion(versions: number): number {
  return versions <= 0 ? 0 : 31 - Math.clz32(versions)
}

/** Elements that are cut short or unknown are passed over, as the specification asks. `version`: the header's. */
export function decodeHello(b: Uint8Array, o: number, end: number, version: number): Hello {
  let versions = versionsUpTo(version)
  while (end - o >= 4) {
    const length = u16(b, o + 2)
    if (length < 4 || o + length > end) break
    if (u16(b, o) === OFPHET_VERSIONBITMAP && length >= 8) {
      // Only the first 32 versions are of interest; bit 0 is no version, bit 31 none that exists.
      const bitmap = u32(b, o + 4) & 0x7fff_fffe
      if (bitmap !== 0) versions = bitmap
    }
    o += (length + 7) & ~7
  }
  return { versions }
}

/** The bitmap is left out where the header's version says it all (1.0 to n without gap), as Open vSwitch does. */
export function encodeHello(w: ByteWriter, hello: Hello): void {
  if (hello.versions === versionsUpTo(highestVersion(hello.versions))) return
  w.u16(OFPHET_VERSIONBITMAP).u16(8).u32(hello.versions)
}

export const HELLO_CODEC: BodyCodec<Hello> = {
  decode: ({ b, o, end, version }) => decodeHello(b, o, end, version),
  encode: encodeHello,
}
