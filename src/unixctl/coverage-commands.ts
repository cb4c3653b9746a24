/** coverage/… and memory/show: what a daemon has done and how much it keeps, ovs-appctl(8). */
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'

/** What is counted, by name. */
export type Counters = () => Promise<Readonly<Record<string, number>>>

/**
 * @param events what has happened since the daemon began
 * @param kept what it keeps now
 */
export function coverageCommands(events: Counters, kept: Counters): UnixctlCommand[] {
  return [
    {
      name: 'coverage/show',
      usage: '',
      min: 0,
      max: 0,
      // Nobody remembers when they happened: averages are left out.
      run: async () => {
        const all = Object.entries(await events())
        const hit = all.filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1))
        const lines = hit.map(([name, count]) => `${name.padEnd(24)} total: ${count}\n`)
        return `Event coverage:\n${lines.join('')}${all.length - hit.length} events never hit\n`
      },
    },
    {
      name: 'coverage/read-counter',
      usage: 'COUNTER',
      min: 1,
      max: 1,
      run: async ([name]) => {
        const all = await events()
        if (!Object.hasOwn(all, name)) throw new UnixctlError('No such counter')
        return `${all[name]}\n`
      },
    },
    {
      name: 'memory/show',
      usage: '',
      min: 0,
      max: 0,
      run: async () => {
        const all = Object.entries(await kept()).sort(([a], [b]) => (a < b ? -1 : 1))
        return `${all.map(([name, value]) => `${name}:${value}`).join(' ')}\n`
      },
    },
  ]
}
