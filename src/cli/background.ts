/**
 * The process that `start --detach` leaves behind; see detach.ts. Its argument is its options in JSON; the network
 * comes by standard input, while the daemon is still being loaded.
 */
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import type { Network } from '../config/network.ts'
import { runDaemon } from '../daemon/run-daemon.ts'
import { CliError } from '../errors.ts'
import { carry, exitWith } from './carry.ts'
import type { DetachOptions } from './detach.ts'
import { EXIT_OK } from './exit-codes.ts'
import { print } from './output.ts'
import { ParentReport } from './parent-report.ts'
import { reportError } from './report-error.ts'

const STDIN = 0

const options = JSON.parse(process.argv[2]!) as DetachOptions
const report = new ParentReport()

function givenNetwork(): Network | undefined {
  const bytes = readFileSync(STDIN)
  if (bytes.length === 0) throw new CliError('The start was given up before the network was read.')
  return deserialize(bytes) as Network | undefined
}

async function run(): Promise<number> {
  try {
    await carry(runDaemon, {
      ...options,
      network: givenNetwork,
      onProgress: (line) => {
        report.progress(line)
        print(line)
      },
      onUp: () => report.ready(),
    })
    return EXIT_OK
  } catch (error) {
    report.error(
      error instanceof CliError ? error : new CliError(`This is a mistake in vswitchd-ts: ${error}`),
    )
    return reportError(error)
  }
}

void run().then(exitWith)
