/** Which processor does what while something is measured. */
import { execFileSync } from 'node:child_process'

/** That of who sends and who receives. */
export const SENDER_CPU = '0'
/** That of the switch. */
export const SWITCH_CPU = '1'

/** Keeps all threads of processes on one processor. */
export function pin(cpu: string, pids: readonly number[]): void {
  for (const pid of pids) execFileSync('taskset', ['-a', '-p', '-c', cpu, String(pid)], { stdio: 'ignore' })
}
