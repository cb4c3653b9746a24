import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../support/until.ts'

const PROGRAM = join(import.meta.dirname, '../../../dist/test/support/programs/idle-daemon.js')

let directory: string
const path = (name: string) => join(directory, name)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'daemon-'))
})

afterEach(async () => {
  await appctl('exit')
  rmSync(directory, { recursive: true })
})

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, OVS_RUNDIR: directory, OVS_LOGDIR: directory }
  return new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const daemon = (...args: string[]) => run(process.execPath, [PROGRAM, '--syslog-method=null', ...args])
const appctl = (...args: string[]) => run('ovs-appctl', ['-t', 'idle-daemon', ...args])
const readPid = () => Number(readFileSync(path('idle-daemon.pid'), 'utf8'))

describe('a daemon in the background', () => {
  test('is ready, found by ovs-appctl and alone, when the command has returned; and takes its files away', async () => {
    const outcome = await daemon('--detach', '--pidfile', '--log-file', '-vconsole:off')
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' })
    const pid = readPid()
    expect(await appctl('version')).toMatchObject({ stdout: 'idle-daemon (Open vSwitch) 3.1.0\n' })
    expect(existsSync(path(`idle-daemon.${pid}.ctl`))).toBe(true)
    expect(await daemon('--detach', '--pidfile')).toMatchObject({
      code: 1,
      stderr: `idle-daemon: ${path('idle-daemon.pid')}: already running as pid ${pid}, aborting\n`,
    })
    expect(await appctl('exit', '--cleanup')).toEqual({ code: 0, stdout: '', stderr: '' })
    await until(() => readdirSync(directory).length === 1, 'pid file and socket are gone')
    expect(readFileSync(path('idle-daemon.log'), 'utf8')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|00001\|vlog\|INFO\|opened log file .*\n.*\|00002\|bridge\|INFO\|idle\n$/,
    )
  })

  test.each([
    ['fail', 'there is nothing to do'],
    ['late-failure', 'not now'],
  ])('tells the person why it failed: %s', async (mode, reason) => {
    const outcome = await daemon('--detach', '--pidfile', '-vconsole:off', mode)
    expect(outcome).toEqual({ code: 1, stdout: '', stderr: `idle-daemon: ${reason}\n` })
    expect(readdirSync(directory)).toEqual([])
  })

  test('that does not get ready ends when it is asked to', async () => {
    const starting = daemon('--detach', '--pidfile', '-vconsole:off', 'never-ready')
    await until(async () => (await appctl('version')).code === 0, 'it answers')
    await appctl('exit')
    expect(await starting).toEqual({ code: 1, stdout: '', stderr: '' })
    expect(readdirSync(directory)).toEqual([])
  })

  test.each([
    ['exit status 70', () => appctl('test/crash'), /\|util\|EMER\|Error: a mistake\n/],
    ['killed (SIGABRT)', async () => process.kill(readPid(), 'SIGABRT'), /./],
  ])(
    'is started again by its monitor when it crashes (%s), and not when it is asked to end',
    async (how, crash, said) => {
      await daemon('--detach', '--monitor', '--pidfile', '--log-file', '-vconsole:off')
      const pid = readPid()
      await crash()
      await until(() => existsSync(path('idle-daemon.pid')) && readPid() !== pid, 'a new daemon')
      await until(async () => (await appctl('version')).code === 0, 'the new one answers')
      expect(existsSync(path(`idle-daemon.${pid}.ctl`))).toBe(false)
      await appctl('exit')
      const log = () => readFileSync(path('idle-daemon.log'), 'utf8')
      await until(() => log().includes('died, exit status 0, exiting'), 'the monitor ends')
      expect(log()).toMatch(said)
      expect(log()).toContain(`|daemon_unix|ERR|1 crashes: pid ${pid} died, ${how}, restarting\n`)
    },
  )
})

describe('a command line', () => {
  test.each([
    [['--foo'], "unrecognized option '--foo'"],
    [['-z'], "invalid option -- 'z'"],
    [['--color'], "option '--color' requires an argument"],
    [['--detach=1'], "option '--detach' doesn't allow an argument"],
    [['--no'], undefined],
    [['a', 'b'], 'at most one non-option argument accepted; use --help for usage'],
    [['-vfoo'], 'processing "foo": no destination, level, or module "foo"'],
    [
      ['--pidfile=/nonexistent/x.pid'],
      expect.stringMatching(/x\.pid\.tmp.*: create failed \(No such file or directory\)$/),
    ],
  ])('%s', async (args, message) => {
    if (message === undefined) return expect((await daemon(...args, '--version')).code).toBe(0)
    const { code, stderr } = await daemon('-vconsole:off', ...args)
    expect({ code, stderr: stderr.trimEnd() }).toEqual({
      code: 1,
      stderr: typeof message === 'string' ? `idle-daemon: ${message}` : message,
    })
  })
})
