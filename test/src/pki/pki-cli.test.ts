import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vswitchd-pki-cli-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const at = (file: string) => join(dir, file)
const pki = (...args: string[]) => runCli(['pki', '-d', at('pki'), '-k', 'ec', ...args])

test('from the authorities to a certificate, by the commands of ovs-pki', async () => {
  expect(await pki('init')).toMatchObject({ code: 0, out: '' })
  expect((await pki('init')).err).toContain('already exists')
  expect(await pki('init', '--force', '--log', at('log'))).toMatchObject({ code: 0 })
  const made = await pki('req+sign', at('sc'), 'switch')
  expect(made.out).toMatch(
    /sc-req\.pem\t\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}\n\tfingerprint [0-9a-f]{40}\n$/,
  )
  expect(await pki('verify', at('sc'))).toMatchObject({ code: 0, out: `${at('sc')}-cert.pem: OK\n` })
  const wrong = await pki('verify', at('sc'), 'controller')
  expect(wrong).toMatchObject({ code: 1, out: '' })
  expect(wrong.err).toContain('sc-cert.pem is not valid: it is signed by O=Open vSwitch, OU=switchca')
  expect((await pki('fingerprint', at('sc-cert.pem'))).out).toMatch(/\tfingerprint [0-9A-F]{40}\n$/)
  expect((await pki('ls')).out).toMatch(
    /serial\s+status\s+expires\s+subject\n01\s+V[^\n]+\n02\s+V[^\n]+\n03\s+V[^\n]+CN=sc id:/,
  )
  expect(
    execFileSync('openssl', ['verify', '-CAfile', at('pki/switchca/cacert.pem'), at('sc-cert.pem')]),
  ).toBeDefined()
})

test('nothing is signed whose fingerprint does not match', async () => {
  expect((await pki('-u', 'req', at('asked'))).code).toBe(0)
  const sign = (answer: string) =>
    spawnSync('bin/vswitchd-ts', ['pki', '-d', at('pki'), 'sign', at('asked'), 'controller'], {
      input: answer,
      encoding: 'utf8',
    })
  expect(sign('no\n')).toMatchObject({ status: 1, stderr: expect.stringContaining('nothing is signed') })
  expect(sign('')).toMatchObject({ status: 1 })
  expect(sign('yes\n')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('Does fingerprint match?'),
  })
  expect((await pki('verify', at('asked'), 'controller')).code).toBe(0)
  expect(await pki('sign', at('asked'), 'controller', '--batch')).toMatchObject({ code: 1 })
  expect(await pki('sign', at('asked'), 'controller', '--batch', '--force')).toMatchObject({ code: 0 })
})

test.each([['frob'], ['sign'], ['sign', 'x', 'router'], ['req', 'a', 'b'], ['-k', 'dsa', 'init']])(
  'pki %s %s %s is no command',
  async (...args) => {
    expect((await pki(...args)).code).toBe(2)
  },
)
