/** Certificates and requests for them, PEM in and out. X.509 itself is the library's. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { Instant } from '../../protocols/time.ts'
import type { SigningKey } from './keys.ts'

cryptoProvider.set(webcrypto)

/** Of every subject: an authority of Open vSwitch signs only requests of its own organization. */
const ORGANIZATION = 'Open vSwitch'
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const TEN_YEARS = 3650 * 86_400_000

/** Why a certificate cannot be made or is not valid. */
export class CertificateError extends Error {}

/** Who somebody is: the unit of the organization, and the name. */
export interface Subject {
  readonly unit: string
  readonly commonName: string
}

/** UTF8String throughout, as OpenSSL writes them: it compares types of strings, too. */
function nameOf({ unit, commonName }: Subject): Name {
  const rows = { O: ORGANIZATION, OU: unit, CN: commonName }
  return new Name(Object.entries(rows).map(([type, text]) => ({ [type]: [{ utf8String: text }] })))
}

function validity(now: Instant) {
  // To the second, as certificates tell time.
  const from = Math.floor(now / 1000) * 1000
  return { notBefore: new Date(from), notAfter: new Date(from + TEN_YEARS) }
}

/** An authority, signed by itself. */
export async function makeAuthority(
  subject: Subject,
  key: SigningKey,
  serialNumber: string,
  now: Instant,
): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: nameOf(subject),
    ...validity(now),
    keys: key.pair,
    signingAlgorithm: key.algorithm,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(key.pair.publicKey),
    ],
  })
  return pem(certificate)
}

/** @param dnsName stands in the certificate beside the subject */
export async function makeRequest(subject: Subject, dnsName: string, key: SigningKey): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys: key.pair,
    signingAlgorithm: key.algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }])],
  })
  return pem(request)
}

/** A certificate as asked for. @throws CertificateError when the request is not to be signed */
export async function signRequest(
  requestPem: string,
  authority: { readonly certificate: string; readonly key: SigningKey },
  serialNumber: string,
  now: Instant,
): Promise<string> {
  const request = await readRequest(requestPem)
  const issuer = readCertificate(authority.certificate)
  const [organization] = issuer.subjectName.getField('O')
  if (request.subjectName.getField('O')[0] !== organization) {
    throw new CertificateError(`the request is not of the organization "${organization}"`)
  }
  if (request.subjectName.getField('CN').length === 0) {
    throw new CertificateError('the request names nobody: its subject has no CN')
  }
  const certificate = await X509CertificateGenerator.create({
    serialNumber,
    subject: request.subjectName,
    issuer: issuer.subjectName,
    ...validity(now),
    publicKey: request.publicKey,
    signingKey: authority.key.pair.privateKey,
    signingAlgorithm: authority.key.algorithm,
    extensions: [
      ...(await leafExtensions(request)),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return pem(certificate)
}

/** A certificate that its own key signs. @throws CertificateError when the request is of another key */
export async function selfSign(requestPem: string, key: SigningKey, serialNumber: string, now: Instant) {
  const request = await readRequest(requestPem)
  const own = Buffer.from(await webcrypto.subtle.exportKey('spki', key.pair.publicKey as webcrypto.CryptoKey))
  if (!own.equals(Buffer.from(request.publicKey.rawData))) {
    throw new CertificateError('the request is of another key')
  }
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: request.subjectName,
    ...validity(now),
    keys: key.pair,
    signingAlgorithm: key.algorithm,
    extensions: await leafExtensions(request),
  })
  return pem(certificate)
}

/** Says what is wrong with a certificate that an authority is said to have signed; undefined: nothing. */
export async function faultOf(
  certificatePem: string,
  authorityPem: string,
  now: Instant,
): Promise<string | undefined> {
  const certificate = readCertificate(certificatePem)
  const authority = readCertificate(authorityPem)
  if (certificate.issuer !== authority.subject) return `it is signed by ${certificate.issuer}`
  if (!(await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true }))) {
    return 'its signature is not that of the authority'
  }
  for (const { notBefore, notAfter } of [certificate, authority]) {
    if (now < notBefore.getTime()) return `it is not valid before ${notBefore.toUTCString()}`
    if (now > notAfter.getTime()) return `it has expired on ${notAfter.toUTCString()}`
  }
  return undefined
}

/** The subject in the form of an authority's index, and until when the certificate is valid. */
export function entryOf(certificatePem: string): { readonly subject: string; readonly notAfter: Date } {
  const { subjectName, notAfter } = readCertificate(certificatePem)
  const parts = subjectName
    .toJSON()
    .flatMap((part) => Object.entries(part).flatMap(([type, values]) => values.map((v) => `/${type}=${v}`)))
  return { subject: parts.join(''), notAfter }
}

/** Of what is asked for only the names: who asks does not become an authority. */
async function leafExtensions(request: Pkcs10CertificateRequest): Promise<Extension[]> {
  const names = request.getExtension(SUBJECT_ALTERNATIVE_NAME)
  return [
    new BasicConstraintsExtension(false),
    ...(names === null ? [] : [names]),
    await SubjectKeyIdentifierExtension.create(request.publicKey as PublicKey),
  ]
}

async function readRequest(text: string): Promise<Pkcs10CertificateRequest> {
  let request: Pkcs10CertificateRequest
  try {
    request = new Pkcs10CertificateRequest(text)
  } catch (error) {
    throw new CertificateError('it is no certificate request', { cause: error })
  }
  if (await request.verify().catch(() => false)) return request
  throw new CertificateError('the request is not signed with the key that it is for')
}

function readCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw new CertificateError('it is no certificate', { cause: error })
  }
}

function pem(data: { toString(format: 'pem'): string }): string {
  return `${data.toString('pem')}\n`
}
