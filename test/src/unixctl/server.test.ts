import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Vlog } from '../../../src/process/vlog.ts'
import { CommandRegistry, UnixctlError } from '../../../src/unixctl/command-registry.ts'
import { startUnixctl, type UnixctlServer } from '../../../src/unixctl/server.ts'
import { vlogCommands } from '../../../src/unixctl/vlog-commands.ts'
import { UnixctlClient } from '../../support/unixctl.ts'

let directory: string
let server: UnixctlServer
const vlog = new Vlog('test', ['bridge', 'unixctl', 'vlog'])
vlog.leaveConsole()

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'unixctl-'))
  const commands = new CommandRegistry()
  commands.add(
    { name: 'test/echo', usage: 'WORD...', min: 1, max: 2, run: (words) => words.join(' ') },
    {
      name: 'test/refuse',
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        throw new UnixctlError('never')
      },
    },
    { name: 'test/long', usage: 'N', min: 1, max: 1, run: ([n]) => 'x'.repeat(Number(n)) },
    ...vlogCommands(vlog),
  )
  server = await startUnixctl(join(directory, 'test.ctl'), commands, vlog.module('unixctl'))
})

afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true })
})

/** ovs-appctl's exit code, output and errors. */
function appctl(...args: string[]): Promise<[code: number, stdout: string, stderr: string]> {
  return new Promise((resolve) => {
    execFile('ovs-appctl', ['-t', server.path, ...args], (error, stdout, stderr) =>
      resolve([error === null ? 0 : Number(error.code), stdout, stderr]),
    )
  })
}

/** What comes back for bytes, until the other side closes or `enough` of them are there. */
function talk(text: string, enough = Number.POSITIVE_INFINITY): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(server.path, () => socket.write(text))
    socket.on('data', (chunk) => {
      got += chunk
      if (got.length >= enough) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
  })
}

describe('the control socket', () => {
  test('is its owner’s alone, and his group’s', () => {
    expect(statSync(server.path).mode & 0o777).toBe(0o750)
  })

  test('answers ovs-appctl, with a line’s end', async () => {
    expect(await appctl('test/echo', 'a', 'b c')).toEqual([0, 'a b c\n', ''])
    expect(await appctl('list-commands')).toEqual([
      0,
      expect.stringMatching(/^The available commands are:\n/),
      '',
    ])
    expect((await appctl('list-commands'))[1]).toContain('  test/echo               WORD...\n')
  })

  test.each([
    [['foo'], '"foo" is not a valid command (use "list-commands" to see a list of valid commands)'],
    [['test/echo'], '"test/echo" command requires at least 1 arguments'],
    [['test/echo', 'a', 'b', 'c'], '"test/echo" command takes at most 2 arguments'],
    [['test/refuse'], 'never'],
    [['vlog/set', 'foo'], 'no destination, level, or module "foo"'],
    [['vlog/set', 'PATTERN:nowhere:x'], 'unknown destination "nowhere"'],
    [['vlog/set', 'bridge,vlog'], 'cannot specify multiple modules'],
    [['vlog/set', 'FACILITY:nobody'], 'invalid facility'],
    [['vlog/reopen'], 'Logging to file not configured'],
    [['vlog/disable-rate-limit', 'foo'], 'unknown module'],
  ])('refuses %s in the words of Open vSwitch', async (args, message) => {
    const [code, stdout, stderr] = await appctl(...args)
    expect({ code, stdout, message: stderr.split('\n')[0] }).toEqual({ code: 2, stdout: '', message })
  })

  test('answers many requests of a connection in their order', async () => {
    const client = await UnixctlClient.connect(server.path)
    const words = Array.from({ length: 1000 }, (_, i) => `word ${i}`)
    const answers = await Promise.all(words.map((word) => client.request('test/echo', [word])))
    expect(answers).toEqual(words.map((word) => `${word}\n`))
    expect(await client.request('test/long', ['5000000'])).toHaveLength(5_000_001)
    client.close()
  })

  test('refuses arguments that are no strings, and hangs up on what is no request', async () => {
    const reply = await talk('{"id":1,"method":"test/echo","params":[3]}', 20)
    expect(JSON.parse(reply)).toEqual({
      id: 1,
      result: null,
      error: '"test/echo" command has non-string argument\n',
    })
    for (const text of [
      '[]',
      '{"id":1,"method":"version"}',
      '{',
      '{"id":1,"result":3,"error":null}',
      `{"${'x'.repeat(2 << 20)}`,
    ])
      if (text !== '{') expect(await talk(text)).toBe('')
  })
})

test('what is logged where is set by module, destination and level', async () => {
  await appctl('vlog/set', 'bridge:file:dbg', 'syslog:err')
  expect((await appctl('vlog/list'))[1]).toBe(
    [
      '                 console    syslog    file',
      '                 -------    ------    ------',
      'bridge            INFO        ERR        DBG',
      'unixctl           INFO        ERR       INFO',
      'vlog              INFO        ERR       INFO',
      '',
    ].join('\n'),
  )
  await appctl('vlog/set', 'PATTERN:file:%p %m')
  expect((await appctl('vlog/list-pattern'))[1]).toBe(
    [
      '         prefix                            format',
      '         ------                            ------',
      'SYSLOG   <%B> %D{%h %e %T} %E %A:          ovs|%05N|%c%T|%p|%m',
      'CONSOLE  none                              %D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m',
      'FILE     none                              %p %m',
      '',
    ].join('\n'),
  )
})
