/** Ethernet frames for tests, put together from their parts and taken apart again. */

export interface Tag {
  readonly tpid: number
  readonly pcp: number
  readonly vid: number
}

export interface FrameParts {
  /** 48-bit numbers. */
  readonly dst: number
  readonly src: number
  readonly tags?: readonly Tag[]
  readonly type?: number
  readonly payload?: Uint8Array
}

export const BROADCAST = 0xffff_ffff_ffff

/** A tag of VLAN `vid`. */
export function tag(vid: number, pcp = 0, tpid = 0x8100): Tag {
  return { tpid, pcp, vid }
}

function bytesOf(value: number, length: number): number[] {
  const out: number[] = []
  for (let i = length - 1; i >= 0; i--) out.push(Math.floor(value / 256 ** i) % 256)
  return out
}

export function makeFrame(parts: FrameParts): Uint8Array {
  const tags = (parts.tags ?? []).flatMap((t) => [
    ...bytesOf(t.tpid, 2),
    ...bytesOf(t.pcp * 0x2000 + t.vid, 2),
  ])
  return Uint8Array.from([
    ...bytesOf(parts.dst, 6),
    ...bytesOf(parts.src, 6),
    ...tags,
    ...bytesOf(parts.type ?? 0x88b5, 2),
    ...(parts.payload ?? Uint8Array.of(1, 2, 3, 4)),
  ])
}

/** All tags of a frame, outermost first, and what stands behind them. */
export function splitTags(frame: Uint8Array): { tags: Tag[]; rest: Uint8Array } {
  const tags: Tag[] = []
  let at = 12
  for (;;) {
    const tpid = frame[at] * 256 + frame[at + 1]
    if ((tpid !== 0x8100 && tpid !== 0x88a8) || at + 6 > frame.length) break
    tags.push({ tpid, pcp: frame[at + 2] >> 5, vid: (frame[at + 2] & 15) * 256 + frame[at + 3] })
    at += 4
  }
  return { tags, rest: frame.slice(at) }
}

/** The same frame with other tags. */
export function withTags(frame: Uint8Array, tags: readonly Tag[]): Uint8Array {
  const head = tags.flatMap((t) => [...bytesOf(t.tpid, 2), ...bytesOf(t.pcp * 0x2000 + t.vid, 2)])
  return Uint8Array.from([...frame.slice(0, 12), ...head, ...splitTags(frame).rest])
}

export function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex')
}

/** Bytes from hexadecimal text; blanks are only for the eye. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
}
