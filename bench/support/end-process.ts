import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ends a child and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  while (child.exitCode === null && child.signalCode === null) await sleep(10)
}
