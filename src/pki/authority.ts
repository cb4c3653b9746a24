/**
 * A certificate authority as a directory, laid out as by ovs-pki(8) and openssl-ca(1), each of which can go on where
 * the other has stopped: cacert.pem, private/cakey.pem, serial, index.txt, and what was signed in newcerts/.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instant } from '../../protocols/time.ts'
import { entryOf, makeAuthority, signRequest } from './certificates.ts'
import { readPrivateKey } from './keys.ts'

/** So that openssl-ca signs what we sign, and in the same way. */
const SETTINGS = `# For ovs-pki and openssl ca.
[ca]
default_ca = here
[here]
certificate = cacert.pem
private_key = private/cakey.pem
serial = serial
crlnumber = crlnumber
database = index.txt
new_certs_dir = newcerts
default_md = sha512
default_days = 3650
default_crl_days = 30
email_in_dn = no
copy_extensions = copy
unique_subject = no
policy = subject
[subject]
organizationName = match
organizationalUnitName = optional
commonName = supplied
countryName = optional
stateOrProvinceName = optional
emailAddress = optional
[usr_cert]
basicConstraints = CA:false
[ca_cert]
basicConstraints = CA:true
`

/** A certificate that was signed, as a line of the index has it. */
export interface Signed {
  /** V valid, R revoked, E expired. */
  readonly status: string
  /** YYMMDDHHMMSSZ */
  readonly expires: string
  readonly serial: string
  readonly subject: string
}

export class Authority {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Makes one, or again certificate and key of one that is. @param privateKey PEM */
  static async create(directory: string, name: string, privateKey: string, now: Instant): Promise<Authority> {
    const at = (file: string) => join(directory, file)
    for (const part of ['certs', 'crl', 'newcerts']) mkdirSync(at(part), { recursive: true })
    mkdirSync(at('private'), { recursive: true, mode: 0o700 })
    const first = { 'ca.cnf': SETTINGS, 'index.txt': '', serial: '01\n', crlnumber: '01\n' }
    for (const [file, text] of Object.entries(first)) if (!existsSync(at(file))) writeFileSync(at(file), text)
    writeFileSync(at('private/cakey.pem'), privateKey, { mode: 0o600 })
    const authority = new Authority(directory)
    // The time tells apart authorities that were made one after the other: they have different keys.
    const made = new Date(now).toISOString().replace('T', ' ').slice(0, 19)
    const subject = { unit: name, commonName: `OVS ${name} CA Certificate (${made})` }
    const key = await readPrivateKey(privateKey)
    const certificate = await authority.#record((serial) => makeAuthority(subject, key, serial, now))
    writeFileSync(at('cacert.pem'), certificate)
    return authority
  }

  /** @throws Error when there is none */
  static open(directory: string): Authority {
    const authority = new Authority(directory)
    void authority.certificate
    return authority
  }

  /** Its own, PEM. */
  get certificate(): string {
    return readFileSync(join(this.#directory, 'cacert.pem'), 'utf8')
  }

  /** The certificate, PEM. @throws CertificateError when the request is not to be signed */
  async sign(request: string, now: Instant): Promise<string> {
    const key = await readPrivateKey(readFileSync(join(this.#directory, 'private/cakey.pem'), 'utf8'))
    return await this.#record((serial) =>
      signRequest(request, { certificate: this.certificate, key }, serial, now),
    )
  }

  /** All that it has signed, itself included. */
  signed(): Signed[] {
    const lines = readFileSync(join(this.#directory, 'index.txt'), 'utf8').split('\n')
    return lines
      .map((line) => line.split('\t'))
      .filter((fields) => fields.length === 6)
      .map(([status, expires, , serial, , subject]) => ({
        status: status!,
        expires: expires!,
        serial: serial!,
        subject: subject!,
      }))
  }

  /** Makes a certificate with the next serial number and enters it in the books. */
  async #record(make: (serial: string) => Promise<string>): Promise<string> {
    const at = (file: string) => join(this.#directory, file)
    const serial = readFileSync(at('serial'), 'utf8').trim()
    const certificate = await make(serial)
    const { subject, notAfter } = entryOf(certificate)
    const digits = notAfter.toISOString().replace(/[-:T]|\.\d+/g, '')
    // UTCTime has two digits for the year, until 2049.
    const expires = notAfter.getUTCFullYear() < 2050 ? digits.slice(2) : digits
    writeFileSync(at(`newcerts/${serial}.pem`), certificate)
    appendFileSync(at('index.txt'), `V\t${expires}\t\t${serial}\tunknown\t${subject}\n`)
    writeFileSync(at('serial'), `${successor(serial)}\n`)
    return certificate
  }
}

/** The next serial number, in hexadecimal digits by twos. */
function successor(serial: string): string {
  const next = (BigInt(`0x${serial}`) + 1n).toString(16).toUpperCase()
  return next.length % 2 === 0 ? next : `0${next}`
}
