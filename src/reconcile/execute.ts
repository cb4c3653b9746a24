import type { Change, Step } from './plan.ts'

export interface Execution {
  /** Called before each step. */
  readonly onStep?: (step: Step) => void
  /** Called with what went wrong on a way that is followed to its end nevertheless. */
  readonly onProblem?: (title: string, error: unknown) => void
}

/** Does one change. Must be idempotent: what is asked for may partly or wholly be so already. */
export type Perform = (change: Change) => Promise<void>

/**
 * Does the steps in order. When one fails, it and all before it are undone, last first, and the failure is
 * thrown: then everything is as it was before. The failed step is undone too, since it may have done a part.
 */
export async function execute(
  steps: readonly Step[],
  perform: Perform,
  options: Execution = {},
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    options.onStep?.(step)
    try {
      await perform(step.do)
    } catch (error) {
      for (const done of steps.slice(0, index + 1).reverse()) await undo(done, perform, options)
      throw error
    }
  }
}

/** Does all steps, whatever becomes of each: the way a network is taken away. */
export async function executeAll(
  steps: readonly Step[],
  perform: Perform,
  options: Execution = {},
): Promise<void> {
  for (const step of steps) {
    options.onStep?.(step)
    await attempt(step.do, step.title, perform, options)
  }
}

/** Takes a step back, as far as that works. */
export function undo(step: Step, perform: Perform, options: Execution): Promise<void> {
  return attempt(step.undo, step.title, perform, options)
}

async function attempt(change: Change, title: string, perform: Perform, options: Execution): Promise<void> {
  try {
    await perform(change)
  } catch (error) {
    options.onProblem?.(title, error)
  }
}
