/**
 * Tells how much of the machine's processor time others took while something was measured: processes that are not
 * of this world (see `private-world.ts`), and what the hypervisor gave to other machines.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { MACHINE } from './private-world.ts'

/** Clock ticks a second, as /proc counts them. */
const TICKS = 100
/** Flag of a kernel thread; those work for us as much as for others. */
const PF_KTHREAD = 0x0020_0000
/** Fields of /proc/PID/stat behind the name, which may hold spaces. */
const FLAGS = 6
const UTIME = 11
const STIME = 12

export class Disturbance {
  readonly #world = readlinkSync('/proc/self/ns/pid')
  #begin = performance.now()
  #ticks = this.#read()
  #stolen = stolen()

  /** Share (0 to 1) of all processors that others took since the last call, or since it was made. */
  take(): number {
    const [now, ticks, away] = [performance.now(), this.#read(), stolen()]
    let taken = away - this.#stolen
    for (const [pid, total] of ticks) taken += total - (this.#ticks.get(pid) ?? 0)
    const share = taken / TICKS / (((now - this.#begin) / 1000) * availableParallelism())
    this.#begin = now
    this.#ticks = ticks
    this.#stolen = away
    return share
  }

  /** Ticks used so far by each process outside. One that has ended in between is not known. */
  #read(): Map<string, number> {
    const found = new Map<string, number>()
    for (const pid of readdirSync(MACHINE)) {
      if (!/^\d+$/.test(pid)) continue
      try {
        if (readlinkSync(`${MACHINE}/${pid}/ns/pid`) === this.#world) continue
        const stat = readFileSync(`${MACHINE}/${pid}/stat`, 'utf8')
        const fields = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number)
        if ((fields[FLAGS]! & PF_KTHREAD) === 0) found.set(pid, fields[UTIME]! + fields[STIME]!)
      } catch {
        // It has ended meanwhile.
      }
    }
    return found
  }
}

/** Ticks during which a processor was somebody else's. */
function stolen(): number {
  return Number(readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/)[8])
}
