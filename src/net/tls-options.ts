import type { TlsFiles } from './tls.ts'

/**
 * Keys for TLS by the options that all of Open vSwitch's programs have for them: `private-key`, `certificate`,
 * `ca-cert` or `bootstrap-ca-cert`, `peer-ca-cert`, `ssl-protocols`, `ssl-ciphers`.
 * @returns undefined unless there are a key, a certificate and an authority
 */
export function tlsFilesGiven(option: (name: string) => string | undefined): TlsFiles | undefined {
  const [privateKey, certificate, bootstrap] = ['private-key', 'certificate', 'bootstrap-ca-cert'].map(option)
  const caCert = bootstrap ?? option('ca-cert')
  if (privateKey === undefined || certificate === undefined || caCert === undefined) return undefined
  const peerCaCert = option('peer-ca-cert')
  const protocols = option('ssl-protocols')?.split(/[, ]+/)
  const ciphers = option('ssl-ciphers')
  return {
    privateKey,
    certificate,
    caCert,
    ...(bootstrap === undefined ? {} : { bootstrapCaCert: true }),
    ...(peerCaCert === undefined ? {} : { peerCaCert }),
    ...(protocols === undefined ? {} : { protocols }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}
