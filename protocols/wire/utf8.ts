/** UTF-8 (RFC 3629) both ways, without the platform's TextEncoder and TextDecoder. Neither way throws. */

const REPLACEMENT = 0xfffd

/** Lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const out: number[] = []
  for (const c of text) {
    let p = c.codePointAt(0)!
    if (p >= 0xd800 && p <= 0xdfff) p = REPLACEMENT
    if (p < 0x80) out.push(p)
    else if (p < 0x800) out.push(0xc0 | (p >> 6), 0x80 | (p & 63))
    else if (p < 0x1_0000) out.push(0xe0 | (p >> 12), 0x80 | ((p >> 6) & 63), 0x80 | (p & 63))
    else out.push(0xf0 | (p >> 18), 0x80 | ((p >> 12) & 63), 0x80 | ((p >> 6) & 63), 0x80 | (p & 63))
  }
  return Uint8Array.from(out)
}

/** Each byte that belongs to no well-formed sequence becomes U+FFFD. */
export function decodeUtf8(b: Uint8Array, o = 0, end = b.length): string {
  let text = ''
  while (o < end) {
    const first = b[o++]
    const more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    let p = more === 0 ? first : first & (0x3f >> more)
    let ok = first < 0x80 || (first >= 0xc2 && first <= 0xf4 && o + more <= end)
    for (let i = 0; ok && i < more; i++) {
      ok = (b[o + i] & 0xc0) === 0x80
      p = (p << 6) | (b[o + i] & 63)
    }
    // Overlong forms, surrogates and what lies beyond Unicode.
    if (more === 2 && (p < 0x800 || (p >= 0xd800 && p <= 0xdfff))) ok = false
    if (more === 3 && (p < 0x1_0000 || p > 0x10_ffff)) ok = false
    text += String.fromCodePoint(ok ? p : REPLACEMENT)
    if (ok) o += more
  }
  return text
}
