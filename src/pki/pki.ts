/** The commands of ovs-pki(8): two authorities, one for switches and one for controllers, and whom they sign. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Instant } from '../../protocols/time.ts'
import { CliError } from '../errors.ts'
import { Authority, type Signed } from './authority.ts'
import { CertificateError, faultOf, makeRequest, selfSign } from './certificates.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type KeyType, makePrivateKey, readPrivateKey } from './keys.ts'

export const PEER_TYPES = ['switch', 'controller'] as const
export type PeerType = (typeof PEER_TYPES)[number]

export interface PkiOptions {
  /** Where the authorities are. */
  readonly directory: string
  /** Replace what exists. */
  readonly force: boolean
  readonly keyType: KeyType
  readonly bits: number
  readonly now: () => Instant
  /** Told apart from all others, after the name of who asks; empty for the name alone. */
  readonly identity: () => string
  /** A serial number nobody else has, hexadecimal. */
  readonly serial: () => string
}

export class Pki {
  readonly #options: PkiOptions

  constructor(options: PkiOptions) {
    this.#options = options
  }

  /** Makes both authorities. @param told which is being made */
  async init(told: (authority: string) => void): Promise<void> {
    const { directory, now, keyType, bits } = this.#options
    if (existsSync(directory) && !this.#options.force) {
      throw new CliError(`${directory} already exists.`, {
        hint: 'With --force its authorities are made anew.',
      })
    }
    mkdirSync(directory, { recursive: true })
    for (const name of ['controllerca', 'switchca']) {
      told(name)
      await Authority.create(join(directory, name), name, await makePrivateKey(keyType, bits), now())
    }
  }

  /** NAME-privkey.pem and NAME-req.pem. */
  async request(name: string): Promise<void> {
    const { keyType, bits, identity } = this.#options
    this.#mayWrite(`${name}-privkey.pem`)
    this.#mayWrite(`${name}-req.pem`)
    const privateKey = await makePrivateKey(keyType, bits)
    const who = basename(name)
    const id = identity()
    const subject = {
      unit: 'Open vSwitch certifier',
      commonName: id === '' ? who : `${who} id:${id}`,
    }
    const request = await makeRequest(subject, who, await readPrivateKey(privateKey))
    // What an earlier one left may be readable to others.
    rmSync(`${name}-privkey.pem`, { force: true })
    writeFileSync(`${name}-privkey.pem`, privateKey, { mode: 0o600, flag: 'wx' })
    writeFileSync(`${name}-req.pem`, request)
  }

  /** NAME-cert.pem, as NAME-req.pem asks for it. */
  async sign(name: string, type: PeerType): Promise<void> {
    const authority = this.#authority(type)
    const request = mustRead(`${name}-req.pem`)
    this.#mayWrite(`${name}-cert.pem`)
    const certificate = await attempt(`${name}-req.pem cannot be signed`, () =>
      authority.sign(request, this.#options.now()),
    )
    writeFileSync(`${name}-cert.pem`, certificate)
  }

  /** NAME-cert.pem, signed by NAME-privkey.pem itself. */
  async selfSign(name: string): Promise<void> {
    const request = mustRead(`${name}-req.pem`)
    const privateKey = mustRead(`${name}-privkey.pem`)
    this.#mayWrite(`${name}-cert.pem`)
    const { now, serial } = this.#options
    const certificate = await attempt(`${name}-req.pem cannot be signed`, async () =>
      selfSign(request, await readPrivateKey(privateKey), serial(), now()),
    )
    writeFileSync(`${name}-cert.pem`, certificate)
  }

  /** What is wrong with NAME-cert.pem as a certificate of such a peer; undefined: nothing. */
  async faultOf(name: string, type: PeerType): Promise<string | undefined> {
    const certificate = mustRead(`${name}-cert.pem`)
    const { certificate: authority } = this.#authority(type)
    return await attempt(`${name}-cert.pem cannot be verified`, () =>
      faultOf(certificate, authority, this.#options.now()),
    )
  }

  /** What the authority for such peers has signed. */
  signed(type: PeerType): Signed[] {
    return this.#authority(type).signed()
  }

  #authority(type: PeerType): Authority {
    const directory = join(this.#options.directory, `${type}ca`)
    try {
      return Authority.open(directory)
    } catch (error) {
      throw new CliError(`There is no authority in ${directory}.`, {
        hint: '`vswitchd-ts pki init` makes it; another directory is named with --dir.',
        cause: error,
      })
    }
  }

  #mayWrite(file: string): void {
    if (!existsSync(file) || this.#options.force) return
    throw new CliError(`${file} already exists.`, { hint: 'With --force it is replaced.' })
  }
}

/** When a file was written, and its fingerprint, in the two lines of ovs-pki(8). */
export function fingerprintLines(file: string): string {
  const fingerprint = fingerprintOf(Buffer.from(mustRead(file), 'latin1'))
  // As date(1) tells it: Sat Nov 28 11:33:53 UTC 2026.
  const [day, date, month, year, time] = statSync(file).mtime.toUTCString().split(/,? /)
  const told = basename(file).startsWith(fingerprint)
    ? '(correct fingerprint in filename)'
    : `fingerprint ${fingerprint}`
  return `${file}\t${day} ${month} ${date!.replace(/^0/, ' ')} ${time} UTC ${year}\n\t${told}`
}

function mustRead(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw new CliError(`${what}: ${error.message}.`, { cause: error })
  }
}
