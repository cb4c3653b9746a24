/**
 * Where an FTP data connection is to go, as control lines say it: PORT and the reply 227 (RFC 959 §4.1.2,
 * §5.4), EPRT and the reply 229 (RFC 2428).
 */

/** A line longer than this says nothing of the kind. */
export const MAX_LINE = 256

export type DataForm = 'port' | 'pasv' | 'eprt' | 'epsv'

export interface DataEndpoint {
  readonly form: DataForm
  /** 4 or 16 bytes; empty in a reply 229, which means the address that the client knows already. */
  readonly address: Uint8Array
  readonly port: number
  /** Which characters of the line say so. */
  readonly at: number
  readonly end: number
  /** EPRT and 229: what stands between the parts. */
  readonly delimiter: string
}

/** What announces an endpoint, up to where it begins. */
const INTRODUCTIONS: readonly [DataForm, RegExp][] = [
  ['port', /^PORT +/i],
  ['eprt', /^EPRT +/i],
  ['pasv', /^227[ -][^\d\r\n]*/],
  ['epsv', /^229[ -][^(\r\n]*\(/],
]

const FIELDS = { port: /^[\d,]*/, pasv: /^[\d,]*/, eprt: /^[^\r\n]*/, epsv: /^[^)\r\n]*/ } as const

/** The endpoint in a line (a character a byte), or undefined. */
export function parseDataEndpoint(line: string): DataEndpoint | undefined {
  for (const [form, introduction] of INTRODUCTIONS) {
    const [head] = introduction.exec(line) ?? []
    if (head === undefined) continue
    const [text] = FIELDS[form].exec(line.slice(head.length))!
    const read = form === 'port' || form === 'pasv' ? readNumbers(text) : readExtended(text, form)
    return read && { form, at: head.length, end: head.length + text.length, ...read }
  }
  return undefined
}

/** Where in a line that is not yet whole an endpoint begins; undefined when none does, or not yet. */
export function endpointBegins(line: string): number | undefined {
  for (const [, introduction] of INTRODUCTIONS) {
    const [head] = introduction.exec(line) ?? []
    if (head !== undefined && head.length < line.length) return head.length
  }
  return undefined
}

/** The same endpoint form with another address and port. */
export function formatDataEndpoint(
  { form, delimiter }: DataEndpoint,
  address: Uint8Array,
  port: number,
): string {
  const d = delimiter
  if (form === 'epsv') return `${d}${d}${d}${port}${d}`
  if (form === 'eprt')
    return `${d}${address.length === 4 ? 1 : 2}${d}${formatAddress(address)}${d}${port}${d}`
  return [...address, port >>> 8, port & 0xff].join(',')
}

type Read = Pick<DataEndpoint, 'address' | 'port' | 'delimiter'>

function readNumbers(text: string): Read | undefined {
  const parts = text.split(',')
  if (parts.length !== 6 || !parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256)) return undefined
  const bytes = parts.map(Number)
  const port = bytes[4] * 256 + bytes[5]
  return port === 0 ? undefined : { address: Uint8Array.from(bytes.slice(0, 4)), port, delimiter: ',' }
}

function readExtended(text: string, form: DataForm): Read | undefined {
  const delimiter = text[0] ?? ''
  if (!/^[!-/:-~]$/.test(delimiter)) return undefined
  const [before, family, written, number, after] = text.split(delimiter)
  if (before !== '' || after === undefined || !/^\d{1,5}$/.test(number)) return undefined
  const port = Number(number)
  if (port === 0 || port > 0xffff) return undefined
  if (form === 'epsv') {
    return family === '' && written === '' ? { address: new Uint8Array(0), port, delimiter } : undefined
  }
  const address = family === '1' ? readIpv4(written) : family === '2' ? readIpv6(written) : undefined
  return address && { address, port, delimiter }
}

function readIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256)) return undefined
  return Uint8Array.from(parts.map(Number))
}

/** RFC 4291 §2.2, without the form that ends in an IPv4 address. */
function readIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const given = groups.flat()
  if (!given.every((g) => /^[0-9a-f]{1,4}$/i.test(g))) return undefined
  const missing = 8 - given.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = halves.length === 2 ? [...groups[0], ...Array<string>(missing).fill('0'), ...groups[1]] : given
  return Uint8Array.from(all.flatMap((g) => [Number.parseInt(g, 16) >>> 8, Number.parseInt(g, 16) & 0xff]))
}

/** As RFC 5952 has it: the longest run of zeros, of two groups at least, is left out. */
function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i] << 8) | address[2 * i + 1])
  let [from, length] = [0, 0]
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && groups[i + n] === 0) n++
    if (n > length) [from, length] = [i, n]
  }
  const text = (some: number[]) => some.map((g) => g.toString(16)).join(':')
  return length < 2 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`
}
