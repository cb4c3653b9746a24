import { vi } from 'vitest'
import { run } from '../../../src/cli/run.ts'
import type { DaemonModule } from '../../../src/daemon/types.ts'

const NO_DAEMON: DaemonModule = {
  runDaemon: () => Promise.reject(new Error('not in this test')),
  removeLeftovers: () => Promise.resolve(false),
}

/** Runs a command line in this process; answers what it printed and its exit code. */
export async function runCli(
  args: readonly string[],
  daemon: Partial<DaemonModule> = {},
): Promise<{ code: number; out: string; err: string }> {
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const before = process.exitCode
  process.exitCode = undefined
  try {
    const code = await run(args, '1.2.3', () => Promise.resolve({ ...NO_DAEMON, ...daemon }))
    const text = (calls: unknown[][]) => calls.map(([chunk]) => String(chunk)).join('')
    return { code, out: text(stdout.mock.calls), err: text(stderr.mock.calls) }
  } finally {
    process.exitCode = before
    stdout.mockRestore()
    stderr.mockRestore()
  }
}
