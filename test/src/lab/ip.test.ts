import { expect, test } from 'vitest'
import { CliError } from '../../../src/errors.ts'
import { IpError, ipProgram } from '../../../src/lab/ip.ts'

test('gives what ip prints', async () => {
  expect(await ipProgram().run('-V')).toMatch(/^ip utility/)
})

test('what ip refuses is one sentence that names the command', async () => {
  const failure = ipProgram().run('link', 'show', 'dev', 'nosuchdevice')
  await expect(failure).rejects.toThrow(IpError)
  await expect(failure).rejects.toThrow(
    'ip link show dev nosuchdevice: Device "nosuchdevice" does not exist.',
  )
})

test('a batch names the command that failed, and does none behind it', async () => {
  const failure = ipProgram().batch(undefined, [
    ['link', 'show', 'dev', 'lo'],
    ['link', 'show', 'dev', 'nosuchdevice'],
    ['link', 'show', 'dev', 'another'],
  ])
  await expect(failure).rejects.toThrow(
    'ip link show dev nosuchdevice: Device "nosuchdevice" does not exist.',
  )
})

test('words that a batch would read as several, or as something else, are refused', async () => {
  for (const word of ['a b', 'a\nlink delete b', '#', "it's", 'a\\', '']) {
    const batch = ipProgram().batch(undefined, [
      ['link', 'show', word],
      ['link', 'show'],
    ])
    await expect(batch).rejects.toThrow(RangeError)
  }
})

test('a missing program is an error of the environment with a hint', async () => {
  const failure = await ipProgram('no-such-program')
    .run('-V')
    .catch((error) => error)
  expect(failure).toBeInstanceOf(CliError)
  expect(failure).toMatchObject({ code: 6, hint: expect.stringContaining('iproute2') })
})
