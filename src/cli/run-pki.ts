import { createInterface } from 'node:readline/promises'
import { now } from '../../engine/sys/clock.ts'
import { systemRandom } from '../../engine/sys/random.ts'
import { CliError } from '../errors.ts'
import type { KeyType } from '../pki/keys.ts'
import { fingerprintLines, type PeerType, Pki } from '../pki/pki.ts'
import { print } from './output.ts'
import { table } from './table.ts'

/** The options of `pki` as they were written. */
export interface PkiFlags {
  readonly dir: string
  readonly force?: boolean
  readonly batch?: boolean
  readonly unique?: boolean
  readonly key: KeyType
  readonly bits: number
}

export type PkiCommand = 'init' | 'req' | 'sign' | 'req+sign' | 'verify' | 'fingerprint' | 'self-sign' | 'ls'

/** @param args as the command line has checked them */
export async function runPki(command: PkiCommand, args: readonly string[], flags: PkiFlags): Promise<void> {
  const random = systemRandom()
  const hex = () => random().toString(16).padStart(8, '0')
  const pki = new Pki({
    directory: flags.dir,
    force: flags.force === true,
    keyType: flags.key,
    bits: flags.bits,
    now,
    identity: () => (flags.unique === true ? '' : `${hex()}${hex()}`),
    // 63 bits, positive.
    serial: () => `7${hex().slice(1)}${hex()}`,
  })
  await perform(pki, command, args, flags.batch === true)
}

async function perform(
  pki: Pki,
  command: PkiCommand,
  args: readonly string[],
  batch: boolean,
): Promise<void> {
  const name = args[0]!
  const type = args[1] as PeerType
  switch (command) {
    case 'init':
      return await pki.init((authority) => void process.stderr.write(`Creating ${authority}...\n`))
    case 'req':
      await pki.request(name)
      return print(fingerprintLines(`${name}-req.pem`))
    case 'sign':
      print(fingerprintLines(`${name}-req.pem`))
      if (!batch) await confirm()
      return await pki.sign(name, type)
    case 'req+sign':
      await pki.request(name)
      await pki.sign(name, type)
      return print(fingerprintLines(`${name}-req.pem`))
    case 'verify': {
      const fault = await pki.faultOf(name, type)
      if (fault !== undefined) throw new CliError(`${name}-cert.pem is not valid: ${fault}.`)
      return print(`${name}-cert.pem: OK`)
    }
    case 'fingerprint':
      return print(fingerprintLines(name))
    case 'self-sign':
      return await pki.selfSign(name)
    case 'ls':
      return print(
        table(
          [
            { title: 'serial', cell: (s) => s.serial },
            { title: 'status', cell: (s) => s.status },
            { title: 'expires', cell: (s) => s.expires },
            { title: 'subject', cell: (s) => s.subject },
          ],
          pki.signed(name as PeerType),
        ),
      )
  }
}

async function confirm(): Promise<void> {
  print('Does fingerprint match? (yes/no)')
  const lines = createInterface({ input: process.stdin })
  const answer = await new Promise<string>((resolve) => {
    lines.once('line', resolve)
    lines.once('close', () => resolve(''))
  })
  lines.close()
  if (answer !== 'yes') throw new CliError('The fingerprint does not match; nothing is signed.')
}
