import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fingerprintLines } from '../../../src/pki/pki.ts'
import { pkiIn } from '../../support/certificates.ts'

let dir = ''
const at = (file: string) => join(dir, file)
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { cwd: dir, encoding: 'utf8', stdio: 'pipe' })
const ovsPki = (...args: string[]) => run('ovs-pki', '-l', at('log'), '-u', '-b', ...args)

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'vswitchd-pki-'))
  await pkiIn(at('ours')).init(() => {})
  ovsPki('-d', at('theirs'), 'init')
})
afterAll(() => rmSync(dir, { recursive: true }))

test('what we sign is valid to us, to ovs-pki and to openssl, as what it was signed for only', async () => {
  const pki = pkiIn(at('ours'))
  await pki.request(at('sc'))
  await pki.sign(at('sc'), 'switch')
  expect(await pki.faultOf(at('sc'), 'switch')).toBeUndefined()
  expect(await pki.faultOf(at('sc'), 'controller')).toMatch('it is signed by O=Open vSwitch, OU=switchca')
  expect(ovsPki('-d', at('ours'), 'verify', 'sc')).toBe('sc-cert.pem: OK\n')
  expect(() => ovsPki('-d', at('ours'), 'verify', 'sc', 'controller')).toThrow()
  expect(run('openssl', 'req', '-verify', '-noout', '-in', 'sc-req.pem')).toBe('')
  // No certificate of a switch or controller may sign others.
  expect(new X509Certificate(readFileSync(at('sc-cert.pem'))).ca).toBe(false)
  expect(new X509Certificate(readFileSync(at('ours/switchca/cacert.pem'))).ca).toBe(true)
  expect(statSync(at('sc-privkey.pem')).mode & 0o777).toBe(0o600)
  expect(statSync(at('ours/switchca/private')).mode & 0o777).toBe(0o700)
  expect(statSync(at('ours/switchca/private/cakey.pem')).mode & 0o777).toBe(0o600)
})

test('ovs-pki goes on with our authority, and we with its: the same serial numbers, the same index', async () => {
  const [before] = pkiIn(at('ours')).signed('switch').slice(-1)
  ovsPki('-d', at('ours'), 'req+sign', 'by-them')
  expect(await pkiIn(at('ours')).faultOf(at('by-them'), 'switch')).toBeUndefined()
  const [after] = pkiIn(at('ours')).signed('switch').slice(-1)
  expect(after).toMatchObject({ status: 'V', subject: expect.stringContaining('CN=by-them') })
  expect(Number(`0x${after!.serial}`)).toBe(Number(`0x${before!.serial}`) + 1)

  const theirs = pkiIn(at('theirs'))
  ovsPki('req', 'asked-by-them')
  await theirs.sign(at('asked-by-them'), 'controller')
  await theirs.request(at('asked-by-us'))
  ovsPki('-d', at('theirs'), 'sign', 'asked-by-us', 'controller')
  for (const name of ['asked-by-them', 'asked-by-us']) {
    expect(ovsPki('-d', at('theirs'), 'verify', name, 'controller')).toBe(`${name}-cert.pem: OK\n`)
    expect(await theirs.faultOf(at(name), 'controller')).toBeUndefined()
  }
  expect(theirs.signed('controller').map((s) => s.serial)).toEqual(['01', '02', '03'])
})

test('names of who asks are kept, wishes are not: nobody becomes an authority by asking', async () => {
  run('openssl', 'req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'sly-privkey.pem', '-out', 'sly-req.pem',
    ...['-subj', '/O=Open vSwitch/CN=sly', '-addext', 'basicConstraints=CA:true', '-addext', 'subjectAltName=DNS:sly']) // biome-ignore format: one command
  await pkiIn(at('ours')).sign(at('sly'), 'switch')
  const certificate = new X509Certificate(readFileSync(at('sly-cert.pem')))
  expect(certificate.ca).toBe(false)
  expect(certificate.subjectAltName).toBe('DNS:sly')
})

test('what is not to be signed', async () => {
  const pki = pkiIn(at('ours'))
  run(
    'openssl',
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'x',
    '-out',
    'stranger-req.pem',
    '-subj',
    '/O=Other/CN=x',
  )
  await expect(pki.sign(at('stranger'), 'switch')).rejects.toThrow('not of the organization "Open vSwitch"')
  run('openssl', 'req', '-new', '-key', 'x', '-out', 'nobody-req.pem', '-subj', '/O=Open vSwitch')
  await expect(pki.sign(at('nobody'), 'switch')).rejects.toThrow('names nobody')
  writeFileSync(at('junk-req.pem'), 'junk')
  await expect(pki.sign(at('junk'), 'switch')).rejects.toThrow('it is no certificate request')
  await expect(pki.sign(at('absent'), 'switch')).rejects.toThrow('absent-req.pem cannot be read')
  await pki.request(at('once'))
  await expect(pki.request(at('once'))).rejects.toThrow('once-privkey.pem already exists')
  await pkiIn(at('ours'), { force: true }).request(at('once'))
  await expect(pkiIn(at('nowhere')).sign(at('once'), 'switch')).rejects.toThrow('There is no authority')
  await expect(pki.init(() => {})).rejects.toThrow('already exists')
})

test('a certificate is valid for ten years, and before and after that it is not', async () => {
  const DAY = 86_400_000
  const made = Date.now()
  const fault = (days: number) =>
    pkiIn(at('ours'), { now: () => made + days * DAY }).faultOf(at('sc'), 'switch')
  expect(await fault(3649)).toBeUndefined()
  expect(await fault(3651)).toMatch(/^it has expired on /)
  expect(await fault(-1)).toMatch(/^it is not valid before /)
})

test('a certificate that signs itself', async () => {
  const pki = pkiIn(at('ours'))
  await pki.request(at('alone'))
  await pki.selfSign(at('alone'))
  expect(run('openssl', 'verify', '-CAfile', 'alone-cert.pem', 'alone-cert.pem')).toBe('alone-cert.pem: OK\n')
  writeFileSync(at('mixed-req.pem'), readFileSync(at('alone-req.pem')))
  writeFileSync(at('mixed-privkey.pem'), readFileSync(at('sc-privkey.pem')))
  await expect(pki.selfSign(at('mixed'))).rejects.toThrow('the request is of another key')
})

test.each(['sc-req.pem', 'sc-cert.pem'])('the fingerprint of %s is that of ovs-pki', (file) => {
  const zone = { ...process.env, TZ: 'UTC' }
  const args = ['-l', at('log'), 'fingerprint', at(file)]
  expect(`${fingerprintLines(at(file))}\n`).toBe(
    execFileSync('ovs-pki', args, { encoding: 'utf8', env: zone }),
  )
})
