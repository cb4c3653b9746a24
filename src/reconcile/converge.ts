import type { Element } from './element.ts'
import { type Execution, type Perform, undo } from './execute.ts'
import { planElements, type Step } from './plan.ts'

export interface Convergence {
  /** What is there now, in an order in which it can be made. */
  readonly elements: readonly Element[]
  /** Why the others are not as they are wanted. */
  readonly failures: readonly Failure[]
  /** What has been done and has worked. */
  readonly done: readonly string[]
}

export interface Failure {
  readonly element: Element
  readonly error: Error
}

/** The carrier of an element could not be had. */
export class NeedMissing extends Error {
  constructor(key: string) {
    super(`it needs ${key}`)
    this.name = 'NeedMissing'
  }
}

/**
 * Goes as far towards what is wanted as can be: what fails is put back as it was, and everything goes on that does
 * not stand on it. To be called again when what it was for want of may have come.
 */
export async function converge(
  have: readonly Element[],
  want: readonly Element[],
  perform: Perform,
  options: Execution = {},
): Promise<Convergence> {
  const present = new Map(have.map((element) => [element.key, element]))
  const failures: Failure[] = []
  const done: string[] = []
  const go = async (step: Step) => {
    const { op, element } = step.do
    const { key } = element
    const missing = op === 'delete' ? undefined : element.needs.find((need) => !present.has(need))
    if (missing !== undefined) {
      // What was to be changed stays as it was.
      failures.push({ element, error: new NeedMissing(missing) })
      return
    }
    options.onStep?.(step)
    try {
      await perform(step.do)
      if (op === 'delete') present.delete(key)
      else present.set(key, element)
      done.push(step.title)
    } catch (error) {
      failures.push({ element, error: error as Error })
      // What cannot be taken away is not there for anybody any more.
      if (op === 'delete') present.delete(key)
      else await undo(step, perform, options)
    }
  }
  for (const steps of together(planElements(have, want))) await Promise.all(steps.map(go))
  return { elements: want.flatMap(({ key }) => present.get(key) ?? []), failures, done }
}

/** Steps that are taken at once at the most. */
const CROWD = 512

/**
 * Steps in their order, those in one list that may be taken at once: many ports in one go are sooner there than one
 * after the other, when each that is up already brings frames that are flooded to all.
 */
function together(steps: readonly Step[]): Step[][] {
  const lists: Step[][] = []
  let crowd: Step[] | undefined
  for (const step of steps) {
    const joins = isPlainPort(step)
    if (joins && crowd !== undefined && crowd.length < CROWD) crowd.push(step)
    else lists.push([step])
    crowd = joins ? lists.at(-1) : undefined
  }
  return lists
}

/** A new port without a place of its own to be moved to. */
function isPlainPort({ do: { op, element } }: Step): boolean {
  if (op !== 'create') return false
  return element.kind === 'port' || (element.kind === 'interface' && element.namespace === undefined)
}
