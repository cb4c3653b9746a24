/** Many names in few characters: `reg0...reg15 eth_{src,dst} vlan_{vid,pcp}`, in the order they are given. */

interface Numbered {
  stem: string
  number: number
}

function numbered(name: string): Numbered | undefined {
  const m = /^(.*?[a-z_])(\d+)$/.exec(name)
  return m === null ? undefined : { stem: m[1], number: Number(m[2]) }
}

/** How many names from `i` on count up: reg0, reg1, reg2 … */
function series(names: readonly string[], i: number): number {
  const first = numbered(names[i])
  if (first === undefined) return 1
  let n = 1
  for (; i + n < names.length; n++) {
    const next = numbered(names[i + n])
    if (next === undefined || next.stem !== first.stem || next.number !== first.number + n) break
  }
  return n
}

function parts(names: readonly string[]): string[] {
  const out: string[] = []
  for (let i = 0; i < names.length; ) {
    const counted = series(names, i)
    if (counted > 2) {
      out.push(`${names[i]}...${names[i + counted - 1]}`)
      i += counted
      continue
    }
    const prefix = names[i].slice(0, names[i].indexOf('_') + 1)
    let n = 1
    if (prefix !== '') while (i + n < names.length && names[i + n].startsWith(prefix)) n++
    if (n === 1) out.push(names[i])
    else out.push(`${prefix}{${parts(names.slice(i, i + n).map((s) => s.slice(prefix.length))).join(',')}}`)
    i += n
  }
  return out
}

export function compressNames(names: readonly string[]): string {
  return parts(names).join(' ')
}
