import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import { type RundirOptions, rundirOption } from '../options.ts'
import { print } from '../output.ts'
import { RATE_COLUMNS } from '../port-table.ts'

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

async function page(rundir: string): Promise<string> {
  const status = await ask(rundir, 'status', {})
  const { statusText } = await import('../status-text.ts')
  const ports = [...status.ports].sort((a, b) => b.rxBitRate + b.txBitRate - a.rxBitRate - a.txBitRate)
  return statusText({ ...status, ports }, RATE_COLUMNS)
}

/** Redraws until q or ctrl-c; leaves the terminal as it was whatever happens. */
async function live(rundir: string): Promise<void> {
  let first = await page(rundir)
  const { stdin, stdout } = process
  let wake = () => {}
  let running = true
  const quit = () => {
    running = false
    wake()
  }
  const onKey = (key: Buffer) => {
    if (key.includes('q') || key.includes(3)) quit()
  }
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey)
  process.once('SIGINT', quit)
  process.once('SIGTERM', quit)
  stdout.on('resize', () => wake())
  stdout.write(ENTER)
  try {
    while (running) {
      const lines = `${first}\n\nq quits`.split('\n').slice(0, stdout.rows || 24)
      stdout.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (running) first = await page(rundir)
    }
  } finally {
    stdout.write(LEAVE)
    stdin.off('data', onKey)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  }
}

export function topCommand(): Command {
  return new Command('top')
    .description('show live rates of all ports, busiest first; once, when the output is no terminal')
    .addOption(rundirOption())
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts top')
    .action(async ({ rundir }: RundirOptions) => {
      if (process.stdout.isTTY) await live(rundir)
      else print(await page(rundir))
    })
}
