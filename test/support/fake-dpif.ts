import { DPIF_COMMANDS, type Dpif, type DpifEvent } from '../../engine/dpif.ts'

/** A door behind which nobody is: every command is noted and answered with nothing, or by `answers`. */
export class FakeDpif {
  readonly calls: [name: string, ...args: unknown[]][] = []
  readonly #listeners: ((event: DpifEvent) => void)[] = []
  readonly door: Dpif

  constructor(answers: { [Name in keyof Dpif]?: (...args: never[]) => unknown } = {}) {
    const door: Record<string, unknown> = {
      onEvent: (listener: (event: DpifEvent) => void) => this.#listeners.push(listener),
      close: async () => {},
    }
    for (const name of DPIF_COMMANDS) {
      door[name] = async (...args: unknown[]) => {
        this.calls.push([name, ...args])
        return (answers[name] as ((...args: unknown[]) => unknown) | undefined)?.(...args)
      }
    }
    this.door = door as unknown as Dpif
  }

  emit(event: DpifEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
