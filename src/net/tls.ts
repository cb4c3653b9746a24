/**
 * Keys for TLS as Open vSwitch has them (ovs-vswitchd.conf.db(5), table SSL): both sides show a certificate that the
 * other's CA signed, whatever name stands in it, since switches and controllers are called by address.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { SecureContextOptions, SecureVersion, TLSSocket } from 'node:tls'

/** Files of PEM, and what is spoken. */
export interface TlsFiles {
  readonly privateKey: string
  readonly certificate: string
  /** Who signed the certificates of the others; `none`: whoever they are, they are trusted. */
  readonly caCert: string
  /** While `caCert` does not exist: the CA of the first that is met is trusted from then on, and kept there. */
  readonly bootstrapCaCert?: boolean
  /** More certificates to show, such as the CA of `certificate`, from which others bootstrap. */
  readonly peerCaCert?: string
  /** `TLSv1.2`, `TLSv1.3` … From the lowest to the highest of them; at least TLSv1.2 when absent. */
  readonly protocols?: readonly string[]
  /** As in openssl-ciphers(1). */
  readonly ciphers?: string
}

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** Reads the files. @throws Error when one cannot be read */
export function secureContextOptions(files: TlsFiles): SecureContextOptions {
  const cert = [files.certificate, ...(files.peerCaCert === undefined ? [] : [files.peerCaCert])]
  const versions = VERSIONS.filter((v) => files.protocols?.includes(v))
  return {
    key: readFileSync(files.privateKey),
    cert: cert.map((file) => readFileSync(file, 'latin1')).join('\n'),
    // An empty list trusts nobody; without one it would be everybody that this machine's browsers trust.
    ca: files.caCert === 'none' || awaitsCa(files) ? [] : readFileSync(files.caCert),
    minVersion: versions[0] ?? 'TLSv1.2',
    maxVersion: versions.at(-1) ?? 'TLSv1.3',
    ...(files.ciphers === undefined ? {} : { ciphers: files.ciphers }),
  }
}

/** Changes when one of the files does. */
export function tlsFilesVersion(files: TlsFiles): string {
  const { privateKey, certificate, caCert, peerCaCert } = files
  const changed = (file: string | undefined) =>
    file === undefined ? '' : statSync(file, { throwIfNoEntry: false })?.mtimeMs
  return [privateKey, certificate, caCert, peerCaCert].map(changed).join()
}

/** The CA is yet to be learned from whoever comes first. */
export function awaitsCa(files: TlsFiles): boolean {
  return files.bootstrapCaCert === true && files.caCert !== 'none' && !existsSync(files.caCert)
}

/** Whether the certificate of the other side is checked, as it is but while there is nothing to check it by. */
export function verifies(files: TlsFiles): boolean {
  return files.caCert !== 'none' && !awaitsCa(files)
}

/**
 * Keeps the CA that stands at the end of the chain that the peer has shown.
 * @throws Error when the peer has not shown a CA, which must have signed itself, or when the file cannot be written
 */
export function keepCa(socket: TLSSocket, files: TlsFiles): void {
  let ca = socket.getPeerX509Certificate()
  while (ca?.issuerCertificate !== undefined && ca.issuerCertificate.raw.compare(ca.raw) !== 0) {
    ca = ca.issuerCertificate
  }
  if (ca === undefined) throw new Error('no certificate to take the CA from')
  if (!ca.checkIssued(ca) || !ca.verify(ca.publicKey)) {
    throw new Error('the CA to trust cannot be told: the last certificate of the chain has not signed itself')
  }
  try {
    writeFileSync(files.caCert, ca.toString(), { flag: 'wx', mode: 0o444 })
  } catch (error) {
    // Somebody else was faster; whom that one trusts is trusted.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
