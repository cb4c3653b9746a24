/**
 * What a translation does, as a tree: bridges hold tables, these actions, these what they bring about. It is
 * laid out as `ofproto/trace` does: what is last in its list and holds more goes on at the margin of the list,
 * so that chains of tables do not wander off to the right.
 */
import type { OfAction } from '../../protocols/openflow/action.ts'
import { formatActions } from '../../protocols/openflow/text/action-format.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { orderActionSet } from './action-set.ts'
import type { Rule } from './rule.ts'
import type { TraceSink } from './xlate.ts'

interface Node {
  readonly lines: readonly string[]
  /** What it holds. */
  readonly subs: Node[]
  /** Whether it begins a section of its own, and not one line of another. */
  readonly section: 'bridge' | 'part' | undefined
}

/** Columns of one level. */
const INDENT = 4

export class TraceTree implements TraceSink {
  /** The packet at the end of the bridge it entered first. */
  end: Uint32Array | undefined
  /** By level, the list to which things at that level are added. */
  readonly #lists: Node[][] = [[]]

  readonly #namesOf: (bridge: string) => NameMaps | undefined
  /** By level, of the bridge that begins there. */
  readonly #names: (NameMaps | undefined)[] = []

  readonly #connectionStates: number[]

  /**
   * @param namesOf what to call the ports of a bridge; undefined for numbers
   * @param connectionStates for one ct() after the other
   */
  constructor(
    namesOf: (bridge: string) => NameMaps | undefined = () => undefined,
    connectionStates: readonly number[] = [],
  ) {
    this.#namesOf = namesOf
    this.#connectionStates = [...connectionStates]
  }

  connectionState(): number | undefined {
    return this.#connectionStates.shift()
  }

  bridge(level: number, name: string): void {
    const title = `bridge("${name}")`
    this.#open(level, [title, '-'.repeat(title.length)], 'bridge')
    this.#names[level] = this.#namesOf(name)
  }

  table(level: number, id: number, rule: Rule | undefined): void {
    this.heading(
      level,
      `${String(id).padStart(2)}. ${rule === undefined ? 'No match.' : describe(rule, this.#namesAt(level))}`,
    )
  }

  heading(level: number, text: string): void {
    this.#open(level, [text], 'part')
  }

  bucket(level: number, id: number): void {
    this.#open(level, [`bucket ${id}`], undefined)
  }

  action(level: number, action: OfAction): void {
    this.note(level, formatActions([action], this.#namesAt(level)))
  }

  actionSet(level: number, verb: 'is' | 'was', actions: readonly OfAction[]): void {
    const ordered = orderActionSet(actions)
    const text = ordered.length === 0 ? ' empty' : `: ${formatActions(ordered, this.#namesAt(level))}`
    this.note(level, ` -> action set ${verb}${text}`)
  }

  note(level: number, text: string): void {
    this.#listAt(level).push({ lines: [text], subs: [], section: undefined })
  }

  final(flow: Uint32Array): void {
    this.end = flow.slice()
  }

  lines(): string[] {
    const out: string[] = []
    print(out, this.#lists[0], 0)
    return out
  }

  #open(level: number, lines: readonly string[], section: Node['section']): void {
    const subs: Node[] = []
    this.#listAt(level - 1).push({ lines, subs, section })
    this.#lists.length = Math.min(this.#lists.length, level)
    this.#lists[level] = subs
    this.#names.length = Math.min(this.#names.length, level)
  }

  /** Of the innermost bridge that this level is within. */
  #namesAt(level: number): NameMaps | undefined {
    this.#names.length = Math.min(this.#names.length, level)
    return this.#names.filter((names) => names !== undefined).at(-1)
  }

  #listAt(level: number): Node[] {
    let at = Math.min(level, this.#lists.length - 1)
    while (this.#lists[at] === undefined) at--
    return this.#lists[at]
  }
}

function print(out: string[], nodes: readonly Node[], level: number): void {
  nodes.forEach(({ lines, subs, section }, i) => {
    const more = i < nodes.length - 1 || section === undefined ? 1 : 0
    if (section === 'bridge') out.push('')
    for (const line of lines) out.push(' '.repeat(INDENT * (level + more)) + line)
    print(out, subs, level + 2 * more)
  })
}

/** A rule as the trace heads its actions: match, priority, cookie. */
function describe(rule: Rule, names: NameMaps | undefined): string {
  const parts: string[] = []
  const match = formatMatch(rule.match, names)
  if (match !== '') parts.push(match)
  parts.push(`priority ${rule.priority}`)
  if (rule.cookie !== 0n) parts.push(`cookie 0x${rule.cookie.toString(16)}`)
  return parts.join(', ')
}
