/** vlog/…: what is logged, as ovs-appctl(8) "LOGGING COMMANDS" has it. */
import type { Vlog } from '../process/vlog.ts'
import { DESTINATIONS } from '../process/vlog-levels.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'

const ANY_NUMBER = Number.MAX_SAFE_INTEGER

export function vlogCommands(vlog: Vlog): UnixctlCommand[] {
  return [
    { name: 'vlog/list', usage: '', min: 0, max: 0, run: () => list(vlog) },
    { name: 'vlog/list-pattern', usage: '', min: 0, max: 0, run: () => listPatterns(vlog) },
    {
      name: 'vlog/set',
      usage: '{spec | PATTERN:destination:pattern}',
      min: 1,
      max: ANY_NUMBER,
      run: (specs) => set(vlog, specs),
    },
    // No message is held back for coming often: there is nothing to switch.
    ...['vlog/enable-rate-limit', 'vlog/disable-rate-limit'].map((name) => ({
      name,
      usage: '[module]...',
      min: 0,
      max: ANY_NUMBER,
      run: (modules: readonly string[]) => checkModules(vlog, modules),
    })),
    {
      name: 'vlog/reopen',
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        if (vlog.path === undefined) throw new UnixctlError('Logging to file not configured')
        return vlog.open(vlog.path) ?? ''
      },
    },
    {
      name: 'vlog/close',
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        vlog.close()
        return ''
      },
    },
  ]
}

function list(vlog: Vlog): string {
  const head = '                 console    syslog    file\n                 -------    ------    ------\n'
  const rows = [...vlog.modules].sort().map((module) => {
    const [console, syslog, file] = (['console', 'syslog', 'file'] as const).map((destination) =>
      vlog.level(module, destination).padStart(4),
    )
    return `${module.padEnd(16)}  ${console}       ${syslog}       ${file}\n`
  })
  return head + rows.join('')
}

function listPatterns(vlog: Vlog): string {
  const head =
    '         prefix                            format\n         ------                            ------\n'
  const rows = DESTINATIONS.map((destination) => {
    const prefix = destination === 'syslog' ? '<%B> %D{%h %e %T} %E %A:' : 'none'
    return `${destination.toUpperCase().padEnd(7)}  ${prefix.padEnd(32)}  ${vlog.pattern(destination)}\n`
  })
  return head + rows.join('')
}

/** In their order; what comes behind a wrong one is not looked at. */
function set(vlog: Vlog, specs: readonly string[]): string {
  for (const spec of specs) {
    const wrong = vlog.set(spec)
    if (wrong !== undefined) throw new UnixctlError(wrong)
  }
  return ''
}

function checkModules(vlog: Vlog, modules: readonly string[]): string {
  for (const module of modules) {
    if (module.toLowerCase() !== 'any' && !vlog.modules.has(module)) throw new UnixctlError('unknown module')
  }
  return ''
}
