/** Addresses in text: Ethernet, IPv4, IPv6 (RFC 5952), with masks as ovs-fields(7) writes them. */

export function parseEthernet(s: string): Uint8Array | undefined {
  const parts = s.split(':')
  if (parts.length !== 6 || parts.some((p) => !/^[0-9a-fA-F]{1,2}$/.test(p))) return undefined
  return Uint8Array.from(parts, (p) => Number.parseInt(p, 16))
}

export function formatEthernet(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join(':')
}

export function parseIpv4(s: string): Uint8Array | undefined {
  const parts = s.split('.')
  if (parts.length !== 4 || parts.some((p) => !/^\d{1,3}$/.test(p) || Number(p) > 255)) return undefined
  return Uint8Array.from(parts, Number)
}

export function formatIpv4(b: Uint8Array): string {
  return b.join('.')
}

function groups(s: string): number[] | undefined {
  if (s === '') return []
  const out: number[] = []
  const parts = s.split(':')
  for (const [i, p] of parts.entries()) {
    if (p.includes('.')) {
      const v4 = i === parts.length - 1 ? parseIpv4(p) : undefined
      if (v4 === undefined) return undefined
      out.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3])
    } else if (/^[0-9a-fA-F]{1,4}$/.test(p)) out.push(Number.parseInt(p, 16))
    else return undefined
  }
  return out
}

export function parseIpv6(s: string): Uint8Array | undefined {
  const halves = s.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0])
  const tail = halves.length === 2 ? groups(halves[1]) : []
  if (head === undefined || tail === undefined) return undefined
  const gap = 8 - head.length - tail.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined
  const all = [...head, ...new Array<number>(gap).fill(0), ...tail]
  return Uint8Array.from(all.flatMap((g) => [g >>> 8, g & 0xff]))
}

/** The longest run of at least two zero groups, the first of equals. */
function longestZeros(g: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [-1, 1]
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && g[i + n] === 0) n++
    if (n > best[1]) best = [i, n]
    if (n > 0) i += n
  }
  return best
}

export function formatIpv6(b: Uint8Array): string {
  const g = Array.from({ length: 8 }, (_, i) => (b[2 * i] << 8) | b[2 * i + 1])
  const [start, length] = longestZeros(g)
  // An embedded IPv4 address, as inet_ntop(3) shows it.
  const mapped =
    start === 0 && (length === 6 || (length === 7 && g[7] !== 1) || (length === 5 && g[5] === 0xffff))
  if (mapped) return `::${length === 5 ? 'ffff:' : ''}${formatIpv4(b.subarray(12))}`
  const hex = g.map((x) => x.toString(16))
  if (start < 0) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

/** How many 1 bits a mask begins with, if only zeros follow. */
export function prefixLength(mask: Uint8Array): number | undefined {
  let n = 0
  while (n < 8 * mask.length && (mask[n >>> 3] & (0x80 >>> (n & 7))) !== 0) n++
  for (let i = n; i < 8 * mask.length; i++) if ((mask[i >>> 3] & (0x80 >>> (i & 7))) !== 0) return undefined
  return n
}

export function prefixMask(bits: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => 0xff00 >>> Math.min(8, Math.max(0, bits - 8 * i)))
}

/** `address`, `address/length` or `address/mask` of 4 or 16 bytes. */
export function parseMaskedIp(s: string, bytes: 4 | 16): { value: Uint8Array; mask: Uint8Array } | undefined {
  const slash = s.indexOf('/')
  const parse = bytes === 4 ? parseIpv4 : parseIpv6
  const value = parse(slash < 0 ? s : s.slice(0, slash))
  if (value === undefined) return undefined
  if (slash < 0) return { value, mask: prefixMask(8 * bytes, bytes) }
  const rest = s.slice(slash + 1)
  if (/^\d+$/.test(rest)) {
    const n = Number(rest)
    return n <= 8 * bytes ? { value, mask: prefixMask(n, bytes) } : undefined
  }
  const mask = parse(rest)
  return mask === undefined ? undefined : { value, mask }
}

/** `/24`, `/255.0.255.0` or nothing. */
export function formatMaskSuffix(mask: Uint8Array): string {
  const n = prefixLength(mask)
  if (n === 8 * mask.length) return ''
  if (n !== undefined) return `/${n}`
  return `/${mask.length === 4 ? formatIpv4(mask) : formatIpv6(mask)}`
}
