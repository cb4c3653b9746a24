/** time/…: a clock for tests, which stands still and jumps when it is told to. */
import { now, running, setClock } from '../../engine/sys/clock.ts'
import type { Instant } from '../../protocols/time.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import type { SwitchView } from './switch-view.ts'

export function timeCommands(view: Pick<SwitchView, 'clockSet'>): UnixctlCommand[] {
  /** Both threads: first the dataplane, so that what happens there by then is known here. */
  const set = async (at: Instant, runs: boolean) => {
    await view.clockSet(at, runs)
    setClock(at, runs)
    await turn()
  }
  return [
    {
      name: 'time/stop',
      usage: '',
      min: 0,
      max: 0,
      run: async () => {
        await set(now(), false)
        return ''
      },
    },
    {
      name: 'time/warp',
      usage: '[large_msecs] msecs',
      min: 1,
      max: 2,
      run: async (args) => {
        const [total, step] = args.map(milliseconds)
        for (let left = total; left > 0; left -= step ?? total) {
          await set(now() + Math.min(left, step ?? total), running())
        }
        return 'warped'
      },
    },
  ]
}

/** @throws UnixctlError */
function milliseconds(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : 0
  if (ms <= 0) throw new UnixctlError('invalid MSECS')
  return ms
}

/** Lets what has become due, and what follows from it, happen. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve))
  })
}
