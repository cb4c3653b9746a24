/** Private keys: PEM to people and files (PKCS #8; others are read), CryptoKeys to whoever signs with them. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'

export const KEY_TYPES = ['rsa', 'ec'] as const
export type KeyType = (typeof KEY_TYPES)[number]

const generate = promisify(generateKeyPair)

/** @param bits of RSA keys; ec ones are of P-256 */
export async function makePrivateKey(type: KeyType, bits: number): Promise<string> {
  const { privateKey } =
    type === 'rsa'
      ? await generate('rsa', { modulusLength: bits })
      : await generate('ec', { namedCurve: 'prime256v1' })
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

export interface SigningKey {
  readonly pair: webcrypto.CryptoKeyPair
  readonly algorithm: { readonly name: string; readonly hash: string }
}

/** What WebCrypto calls the curves of OpenSSL. */
const CURVES: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

/** @throws Error for what is no private key, or one of a kind that cannot sign here */
export async function readPrivateKey(pem: string): Promise<SigningKey> {
  const secret = createPrivateKey(pem)
  const { name, namedCurve } = kindOf(secret)
  const algorithm = { name, hash: 'SHA-512' }
  const imported = namedCurve === undefined ? algorithm : { name, namedCurve }
  const { subtle } = webcrypto
  const pkcs8 = secret.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(secret).export({ type: 'spki', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    subtle.importKey('pkcs8', pkcs8, imported, false, ['sign']),
    subtle.importKey('spki', spki, imported, true, ['verify']),
  ])
  return { pair: { privateKey, publicKey }, algorithm }
}

function kindOf(key: KeyObject): { readonly name: string; readonly namedCurve?: string } {
  const type = key.asymmetricKeyType
  if (type === 'rsa') return { name: 'RSASSA-PKCS1-v1_5' }
  const namedCurve = type === 'ec' ? CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined
  if (namedCurve === undefined) throw new Error(`cannot sign with a key of type ${type}`)
  return { name: 'ECDSA', namedCurve }
}
