import { createHash, X509Certificate } from 'node:crypto'

/**
 * What people compare to know that a file has come as it was sent, as ovs-pki(8) tells it: of a certificate the SHA-1
 * of its DER in upper case, of anything else that of the file in lower case.
 */
export function fingerprintOf(file: Uint8Array): string {
  const text = Buffer.from(file).toString('latin1')
  if (text.includes('-BEGIN CERTIFICATE-')) return new X509Certificate(file).fingerprint.replaceAll(':', '')
  return createHash('sha1').update(file).digest('hex')
}
