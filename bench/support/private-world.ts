/**
 * Runs a program of the bench in a world of its own: PIDs, network, mounts, an empty /run. Whatever it makes there
 * ends with it. The machine's own processes stay visible under `MACHINE`, so that the program can tell when others
 * take the processors from it. Needs root and util-linux.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** Where a program in a private world sees the processes of the whole machine. */
export const MACHINE = '/run/machine'

const UNSHARE = ['--pid', '--fork', '--net', '--mount', '--kill-child']
const MOUNTS = [
  'mount -t tmpfs tmpfs /run',
  `mkdir ${MACHINE}`,
  `mount --rbind /proc ${MACHINE}`,
  'mount -t proc proc /proc',
  'ip link set lo up',
  'exec "$@"',
].join(' && ')

/**
 * @param program a module beside the caller's; it prints its results as JSON to standard output
 * @throws when it ends with an error, which it has told on standard error
 */
export async function runInPrivateWorld<T>(program: URL, args: readonly string[]): Promise<T> {
  const node = [process.execPath, '--expose-gc', fileURLToPath(program), ...args]
  const child = spawn('unshare', [...UNSHARE, 'sh', '-c', MOUNTS, 'sh', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const output = await text(child.stdout)
  const [code] = await exit
  if (code !== 0) throw new Error(`${fileURLToPath(program)} has ended with code ${code}`)
  return JSON.parse(output) as T
}
