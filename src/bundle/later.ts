/**
 * What a start does not need is loaded when it is first asked for. A process that stays loads it in any case a while
 * after it is up: the next version takes away the files that this one has not read yet.
 */
import { setImmediate } from 'node:timers/promises'

/** A start is over by then, and a process that was for one question only. */
const SOON_MS = 5000

const modules: (() => Promise<unknown>)[] = []

/** A module for later, which is loaded when the function that is answered is called, or `loadSoon` has been. */
export function later<M>(load: () => Promise<M>): () => Promise<M> {
  modules.push(load)
  return load
}

/** To be called once it is up. */
export function loadSoon(): void {
  setTimeout(() => void loadAll(), SOON_MS).unref()
}

/** One in a turn, also those that are named by what is loaded. What cannot be had is told to who asks for it. */
async function loadAll(): Promise<void> {
  for (const load of modules) {
    await load().catch(() => {})
    await setImmediate()
  }
}
