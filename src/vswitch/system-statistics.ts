import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** What Open_vSwitch statistics tell of the machine, where other_config:enable-statistics is true. */
export function systemStatistics(): Readonly<Record<string, string>> {
  const memory = memoryKilobytes()
  return {
    cpu: String(cpus().length),
    load_average: loadavg()
      .map((load) => load.toFixed(2))
      .join(','),
    ...(memory === undefined ? {} : { memory: memory.join(',') }),
  }
}

/** In all, in use, of that what can be discarded; swap in all, swap in use. */
function memoryKilobytes(): number[] | undefined {
  let text: string
  try {
    text = readFileSync('/proc/meminfo', 'utf8')
  } catch {
    return undefined
  }
  const fields = new Map(
    [...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name, kb]) => [name!, Number(kb)]),
  )
  const field = (name: string) => fields.get(name) ?? 0
  const discardable = field('Buffers') + field('Cached')
  return [
    field('MemTotal'),
    field('MemTotal') - field('MemFree'),
    discardable,
    field('SwapTotal'),
    field('SwapTotal') - field('SwapFree'),
  ]
}
