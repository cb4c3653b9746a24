/**
 * An order of names for people: "p2" comes before "p10", whatever is a capital letter. By hand, since to load the
 * rules of Intl.Collator takes a start longer than all that it sorts.
 */
export function compareNames(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (isDigit(a, i) && isDigit(b, j)) {
      const m = numberEnd(a, i)
      const n = numberEnd(b, j)
      const order = compareNumbers(a.slice(i, m), b.slice(j, n))
      if (order !== 0) return order
      i = m
      j = n
    } else {
      const order = lowerCase(a, i++) - lowerCase(b, j++)
      if (order !== 0) return order
    }
  }
  return a.length - i - (b.length - j) || compareText(a, b)
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function numberEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && isDigit(text, end)) end++
  return end
}

/** Of digits, as many as there may be. */
function compareNumbers(a: string, b: string): number {
  const [m, n] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return m.length - n.length || compareText(m, n)
}

/** The code of a letter, of A to Z the small one's. */
function lowerCase(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 65 && code <= 90 ? code + 32 : code
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
