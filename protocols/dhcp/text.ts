/** Text as options carry it: bytes, UTF-8 where they are more than ASCII (RFC 2132 says NVT ASCII, hosts send both). */

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const out: number[] = []
  for (const character of text) {
    let c = character.codePointAt(0)!
    if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd
    if (c < 0x80) out.push(c)
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63))
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63))
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63))
  }
  return Uint8Array.from(out)
}

/**
 * Bytes of a stranger made fit to print: printable ASCII as it is, anything else as `\xNN`, trailing NULs (which
 * some clients send) dropped.
 */
export function printableText(bytes: Uint8Array): string {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  let text = ''
  for (let i = 0; i < end; i++) {
    const c = bytes[i]
    text +=
      c >= 0x20 && c < 0x7f && c !== 0x5c ? String.fromCharCode(c) : `\\x${c.toString(16).padStart(2, '0')}`
  }
  return text
}

/** Two digits a byte, colons between: `01:02:00:00:00:00:01`. */
export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) {
    text += (i === 0 ? '' : ':') + bytes[i].toString(16).padStart(2, '0')
  }
  return text
}

/** Pairs of hexadecimal digits, with colons, dashes, blanks or nothing between, `0x` before; else `undefined`. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.trim().replace(/^0x/i, '')
  if (!/^([0-9a-f]{2}([:\- ]?(?=[0-9a-f]))?)*$/i.test(digits)) return undefined
  const plain = digits.replace(/[:\- ]/g, '')
  const out = new Uint8Array(plain.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(plain.slice(2 * i, 2 * i + 2), 16)
  return out
}
