import type { Element } from './element.ts'

/** One change of one element. Its inverse is always a change too. */
export type Change =
  | { readonly op: 'create'; readonly element: Element }
  | { readonly op: 'change'; readonly from: Element; readonly element: Element }
  | { readonly op: 'delete'; readonly element: Element }

export interface Step {
  /** What is printed. */
  readonly title: string
  readonly do: Change
  readonly undo: Change
}

export function inverse(change: Change): Change {
  switch (change.op) {
    case 'create':
      return { op: 'delete', element: change.element }
    case 'delete':
      return { op: 'create', element: change.element }
    case 'change':
      return { op: 'change', from: change.element, element: change.from }
  }
}

/**
 * The steps from one network to another. What is equal in both is in no step, unless something that carries it goes
 * and comes back (a route when its address is replaced).
 *
 * Each list is in an order in which its elements can be made; that of deletion is the reverse. Deletions come first, because a name, an address or a device may be taken over by a new element;
 * only bridges and routers go last, because a port that changes to another one is on the old one until then.
 */
export function planElements(have: readonly Element[], want: readonly Element[]): Step[] {
  const before = new Map(have.map((element) => [element.key, element]))
  const after = new Map(want.map((element) => [element.key, element]))
  const replaced = replacements(have, after)
  const lasts = (element: Element) => element.kind === 'bridge' || element.kind === 'router'
  const gone = have.filter((element) => !after.has(element.key) || replaced.has(element.key)).reverse()
  const changes: Change[] = []
  for (const element of gone) if (!lasts(element)) changes.push({ op: 'delete', element })
  for (const element of want) {
    const from = replaced.has(element.key) ? undefined : before.get(element.key)
    if (from === undefined) changes.push({ op: 'create', element })
    else if (!sameElement(from, element)) changes.push({ op: 'change', from, element })
  }
  for (const element of gone) if (lasts(element)) changes.push({ op: 'delete', element })
  return changes.map((change) => ({ title: titleOf(change), do: change, undo: inverse(change) }))
}

/** Keys of elements in both that must be made anew because what carries them goes or is made anew. */
function replacements(have: readonly Element[], after: ReadonlyMap<string, Element>): Set<string> {
  const replaced = new Set<string>()
  // In making order, so that what an element needs has been looked at before it.
  for (const element of have) {
    if (!after.has(element.key)) continue
    if (element.needs.some((key) => !after.has(key) || replaced.has(key))) replaced.add(element.key)
  }
  return replaced
}

/** Whether nothing has to be done for the one to be the other; titles and dependencies do not count. */
export function sameElement(a: Element, b: Element): boolean {
  return sameValue({ ...a, title: '', needs: [] }, { ...b, title: '', needs: [] })
}

/** Equality of plain data; a key whose value is undefined is as good as absent. */
function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Map && b instanceof Map) return sameValue([...a], [...b])
  if (ArrayBuffer.isView(a) !== ArrayBuffer.isView(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  const keys = new Set([...Object.keys(x), ...Object.keys(y)])
  return [...keys].every((key) => sameValue(x[key], y[key]))
}

function titleOf(change: Change): string {
  if (change.op === 'create') return change.element.title
  return `${change.op === 'delete' ? 'remove' : 'change'} ${change.element.title}`
}
