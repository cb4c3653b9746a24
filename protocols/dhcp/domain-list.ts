/** Lists of domain names as options carry them: RFC 1035 §3.1, compressed within the option (RFC 3397 §2). */

import { encodeText } from './text.ts'

const MAX_NAME = 255
const MAX_LABEL = 63
/** A pointer has 14 bits (RFC 1035 §4.1.4). */
const MAX_POINTER = 0x3fff

function labelsOf(value: unknown): Uint8Array[] | undefined {
  if (typeof value !== 'string' || value === '' || value === '.') return undefined
  const labels = value.replace(/\.$/, '').split('.').map(encodeText)
  let length = 1
  for (const label of labels) {
    if (label.length === 0 || label.length > MAX_LABEL) return undefined
    length += 1 + label.length
  }
  return length > MAX_NAME ? undefined : labels
}

/** The names one behind the other; `undefined` when the list is empty or a member is no domain name. */
export function encodeDomainList(names: readonly unknown[], compress: boolean): Uint8Array | undefined {
  if (names.length === 0) return undefined
  const out: number[] = []
  const seen = new Map<string, number>()
  for (const name of names) {
    const labels = labelsOf(name)
    if (labels === undefined) return undefined
    let ended = false
    for (let i = 0; i < labels.length && !ended; i++) {
      const suffix = labels
        .slice(i)
        .map((label) => label.join('.'))
        .join('/')
      const pointer = compress ? seen.get(suffix) : undefined
      if (pointer !== undefined) {
        out.push(0xc0 | (pointer >> 8), pointer & 255)
        ended = true
      } else {
        if (out.length <= MAX_POINTER) seen.set(suffix, out.length)
        out.push(labels[i].length, ...labels[i])
      }
    }
    if (!ended) out.push(0)
  }
  return Uint8Array.from(out)
}

/**
 * The names of a list, lower level first, joined by dots. `undefined` when a label or pointer leads astray:
 * pointers must lead backwards, which also bounds the work.
 */
export function parseDomainList(data: Uint8Array): string[] | undefined {
  const names: string[] = []
  let at = 0
  while (at < data.length) {
    const labels: string[] = []
    let here = at
    let lowest = data.length
    let resume = -1
    let length = 1
    for (;;) {
      if (here >= data.length) return undefined
      const n = data[here]
      if (n === 0) {
        here++
        break
      }
      if (n >= 0xc0) {
        if (here + 1 >= data.length) return undefined
        const target = ((n & 0x3f) << 8) | data[here + 1]
        if (target >= here || target >= lowest) return undefined
        if (resume < 0) resume = here + 2
        lowest = target
        here = target
        continue
      }
      if (n > MAX_LABEL || here + 1 + n > data.length) return undefined
      length += 1 + n
      if (length > MAX_NAME) return undefined
      labels.push(String.fromCharCode(...data.subarray(here + 1, here + 1 + n)))
      here += 1 + n
    }
    names.push(labels.join('.'))
    at = resume < 0 ? here : resume
  }
  return names
}
