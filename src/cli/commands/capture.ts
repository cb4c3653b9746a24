import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import { askStream } from '../../control/client.ts'
import { CliError } from '../../errors.ts'
import { EXIT_ENVIRONMENT, EXIT_USAGE } from '../exit-codes.ts'
import { type RundirOptions, rundirOption } from '../options.ts'

interface CaptureOptions extends RundirOptions {
  readonly write: string
  readonly count?: number
  readonly snaplen?: number
}

function positive(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError('It must be a number greater than 0.')
  return n
}

export function captureCommand(): Command {
  return new Command('capture')
    .description(
      'capture frames of a port as pcapng, both directions, dropped ones with the reason as comment',
    )
    .argument('<target>', 'a port, or HOST[:INTERFACE] (of a router as well)')
    .option('-w, --write <file>', 'file to write, or - for standard output', '-')
    .option('-c, --count <n>', 'end after so many frames', positive)
    .option('-s, --snaplen <bytes>', 'keep at most so many bytes of each frame', positive)
    .addOption(rundirOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts capture vm1 -w - | tcpdump -nr -\n  $ vswitchd-ts capture rt:eth1 -c 100 -w outside.pcapng',
    )
    .action(async (target: string, options: CaptureOptions) => {
      const toStdout = options.write === '-'
      if (toStdout && process.stdout.isTTY) {
        throw new CliError('A capture is binary; the terminal cannot show it.', {
          code: EXIT_USAGE,
          hint: `Write it to a file with -w FILE, or read it: vswitchd-ts capture ${target} -w - | tcpdump -nr -`,
        })
      }
      const { bytes, result } = await askStream(options.rundir, 'capture', {
        target,
        ...(options.count === undefined ? {} : { count: options.count }),
        ...(options.snaplen === undefined ? {} : { snaplen: options.snaplen }),
      })
      process.stderr.write(`capturing ${result.ports.join(', ')}; ctrl-c ends it\n`)
      const end = () => bytes.destroy()
      process.once('SIGINT', end)
      process.once('SIGTERM', end)
      try {
        await pipeline(bytes, toStdout ? process.stdout : createWriteStream(options.write))
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        // Ended by a signal, or the program that read the capture has had enough.
        if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE') return
        throw new CliError(`The capture cannot be written to ${options.write}: ${message}.`, {
          code: EXIT_ENVIRONMENT,
        })
      } finally {
        process.off('SIGINT', end)
        process.off('SIGTERM', end)
      }
    })
}
