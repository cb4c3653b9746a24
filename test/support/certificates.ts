import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsFiles } from '../../src/net/tls.ts'
import { type PeerType, Pki } from '../../src/pki/pki.ts'

/** The authorities in a directory; keys are of a kind that is made fast. */
export function pkiIn(directory: string, overrides: { force?: boolean; now?: () => number } = {}): Pki {
  return new Pki({
    directory,
    force: false,
    keyType: 'ec',
    bits: 2048,
    now: () => Date.now(),
    identity: () => '',
    serial: () => '0123',
    ...overrides,
  })
}

/** The two sides of TLS, as files: each is signed by an authority that the other trusts. */
export async function makePeers(directory: string): Promise<Record<PeerType, TlsFiles>> {
  mkdirSync(directory, { recursive: true })
  const pki = pkiIn(join(directory, 'pki'))
  await pki.init(() => {})
  const files = async (type: PeerType, other: PeerType): Promise<TlsFiles> => {
    const name = join(directory, type)
    await pki.request(name)
    await pki.sign(name, type)
    return {
      privateKey: `${name}-privkey.pem`,
      certificate: `${name}-cert.pem`,
      caCert: join(directory, 'pki', `${other}ca`, 'cacert.pem'),
    }
  }
  return { switch: await files('switch', 'controller'), controller: await files('controller', 'switch') }
}
