import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts'
import { duration, short } from '../../../src/cli/output.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { summary } from '../../../src/cli/summary.ts'
import { loadConfigFile } from '../../../src/config/load.ts'
import type { DaemonOptions, RunningDaemon } from '../../../src/daemon/types.ts'
import { PORT, STATUS, serve, testRundir } from '../control/handlers.ts'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const LAB = join(ROOT, 'examples/netns-lab.json')
const COMMANDS = [
  'start',
  'stop',
  'reload',
  'status',
  'check',
  'export',
  'schema',
  'exec',
  'show',
  'capture',
  'top',
]
const TABLES = ['ports', 'fdb', 'arp', 'routes', 'nat', 'leases', 'flows', 'queues']

describe('help', () => {
  test('names every command and every exit code', async () => {
    const { code, out } = await runCli(['--help'])
    expect(code).toBe(0)
    for (const command of [...COMMANDS, 'completion'])
      expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    for (const [number, meaning] of EXIT_CODES) expect(out).toContain(`${number}  ${meaning}`)
  })

  test.each([...COMMANDS.map((c) => [c]), ...TABLES.map((t) => ['show', t])])(
    'of %s has examples',
    async (...words) => {
      const { code, out } = await runCli([...words, '--help'])
      expect(code).toBe(0)
      expect(out).toContain(`Usage: vswitchd-ts ${words.join(' ')}`)
      expect(out).toMatch(/Examples:\n {2}\$ vswitchd-ts /)
    },
  )

  test('the version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n' })
  })
})

describe('exit codes', () => {
  test.each([
    ['an unknown command', ['strat']],
    ['an unknown option', ['status', '--jsn']],
    ['a missing argument', ['check']],
    ['an unknown table', ['show', 'fbd']],
    ['no command', []],
    ['a count that is no number', ['capture', 'vm1', '-c', 'x']],
    ['an unknown shell', ['completion', 'tcsh']],
  ])('2 for %s', async (_what, args) => {
    const { code, err } = await runCli(args)
    expect(code).toBe(2)
    expect(err).not.toBe('')
  })

  test('a mistyped command comes with the right one and a hint', async () => {
    const { err } = await runCli(['strat'])
    expect(err).toBe(
      "error: unknown command 'strat'\n(Did you mean start?)\nhint: `vswitchd-ts --help` tells how it is used.\n",
    )
  })

  test('so does a mistyped command of ofctl, without all the others', async () => {
    const { err } = await runCli(['ofctl', 'dmp-flows', 'br0'])
    expect(err).toContain("'dmp-flows'")
    expect(err).toContain('(Did you mean dump-flows?)')
    expect(err).not.toContain('dump-desc')
  })

  test('3 for an invalid configuration, with all errors', async () => {
    const path = join(testRundir(), 'bad.json')
    writeFileSync(path, '{ "bridge": {}, "hosts": 5 }')
    const { code, err } = await runCli(['check', path])
    expect(code).toBe(3)
    expect(err).toContain(`error: ${path} has 2 errors:\n`)
    expect(err).toContain('$.bridge (line 1, column 3)')
    expect(err).toContain('(did you mean "bridges"?)')
    expect(err).toContain('$.hosts (line 1, column 26): found 5')
    expect(err).toMatch(/\nhint: .*schema/)
  })

  test.each([
    ['status'],
    ['reload'],
    ['stop'],
    ['top'],
    ['show', 'fdb'],
    ['capture', 'vm1', '-w', 'x.pcapng'],
  ])('4 for %s where no switch runs', async (...args) => {
    const rundir = testRundir()
    const { code, err } = await runCli([...args, '--rundir', rundir])
    expect(code).toBe(4)
    expect(err).toBe(
      `error: No switch is running in ${rundir}.\nhint: Start one with \`vswitchd-ts start CONFIG\`; if it has another run directory, name it with --rundir.\n`,
    )
  })

  test('4 for a host that does not exist', async () => {
    expect(await runCli(['exec', 'no-such-host-here', 'true'])).toMatchObject({ code: 4 })
  })

  test('an error that nobody foresaw is told as one', async () => {
    const runDaemon = () => Promise.reject(new TypeError('oops'))
    const { code, err } = await runCli(['start', LAB], { runDaemon })
    expect(code).toBe(1)
    expect(err).toMatch(/^error: This is a mistake in vswitchd-ts itself\. TypeError: oops/)
  })
})

describe('commands', () => {
  test('check says what is in a valid configuration', async () => {
    expect(await runCli(['check', LAB])).toEqual({
      code: 0,
      out: `valid: ${LAB} (2 bridges, 3 hosts, 1 router)\n`,
      err: '',
    })
  })

  test('schema prints the JSON Schema', async () => {
    const { out } = await runCli(['schema'])
    expect(JSON.parse(out)).toMatchObject({ type: 'object', additionalProperties: false })
  })

  test('status for people', async () => {
    const { rundir } = await serve()
    const { code, out } = await runCli(['status', '--rundir', rundir])
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'vswitchd-ts 0.1.0, pid 42, up 1h 2m, /etc/lab.json',
      '6 packets, 4 flows, 6 connections, 7 of 8 packet cells free',
      '',
      'bridge  port      no  kind  link  vlan   rx pps  rx bit/s  tx pps  tx bit/s  lost',
      'br-in   vm1.eth0   1  host  up    trunk      10     8.00k       0         0     3',
      '',
      'dropped because  packets',
      'router-no-route        7',
      '',
    ])
  })

  test('status for programs', async () => {
    const { rundir } = await serve()
    const { out } = await runCli(['status', '--json', '--rundir', rundir])
    expect(JSON.parse(out)).toEqual(STATUS)
  })

  test.each(TABLES)('show %s for people and for programs', async (name) => {
    const { rundir } = await serve()
    const people = await runCli(['show', name, '--rundir', rundir])
    const programs = await runCli(['show', name, '--json', '--rundir', rundir])
    expect([people.code, programs.code]).toEqual([0, 0])
    expect(people.out).not.toBe('')
    expect(Array.isArray(JSON.parse(programs.out))).toBe(true)
  })

  test('show fdb', async () => {
    const { rundir } = await serve()
    expect((await runCli(['show', 'fdb', '--rundir', rundir])).out).toBe(
      'bridge  port      vlan  mac                  age\nbr-in   vm1.eth0     0  02:00:00:00:00:01  1m 5s\n',
    )
  })

  test('top prints once where there is no terminal, busiest first', async () => {
    const busy = { ...PORT, name: 'busy', rxBitRate: 1e9 }
    const { rundir } = await serve({ status: () => ({ ...STATUS, ports: [PORT, busy] }) })
    const { out } = await runCli(['top', '--rundir', rundir])
    expect(out.indexOf('busy')).toBeLessThan(out.indexOf('vm1.eth0'))
    expect(out).not.toContain('\x1b')
  })

  test('capture writes the bytes to a file', async () => {
    const { rundir } = await serve()
    const file = join(rundir, 'out.pcapng')
    const { code, err } = await runCli(['capture', 'vm1', '-w', file, '--rundir', rundir])
    expect({ code, err }).toEqual({ code: 0, err: 'capturing vm1; ctrl-c ends it\n' })
    expect([...readFileSync(file)]).toEqual([0x0a, 0x0d, 0x0d, 0x0a])
  })

  test('stop removes what a killed switch has left', async () => {
    const rundir = testRundir()
    const { code, out } = await runCli(['stop', '--rundir', rundir], {
      removeLeftovers: (dir, onRemoved) => {
        onRemoved(`namespace vm1 of ${dir}`)
        return Promise.resolve(true)
      },
    })
    expect(code).toBe(0)
    expect(out).toContain(`removed namespace vm1 of ${rundir}\n`)
  })

  test('start runs the daemon, prints what it does and the commands to try, and ends with it', async () => {
    const rundir = testRundir()
    let given: DaemonOptions | undefined
    const daemon: RunningDaemon = {
      stopped: Promise.resolve(),
      stop: () => Promise.resolve(),
      reload: () => Promise.resolve([]),
    }
    const { code, out } = await runCli(['start', LAB, '--rundir', rundir], {
      runDaemon: async (options) => {
        given = options
        await options.network()
        options.onProgress('bridge br-in')
        return daemon
      },
    })
    expect(code).toBe(0)
    expect(given).toMatchObject({ configPath: LAB, rundir, logLevel: 'info' })
    expect((await given!.network())!.hosts.map((h) => h.name)).toEqual(['vm1', 'vm2', 'outside'])
    expect(out).toMatch(/^bridge br-in\n/)
    expect(out).toContain(`npx vswitchd-ts stop --rundir ${rundir} `)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal)
  })
})

test('the summary of the lab names what is up and what to try', () => {
  const result = loadConfigFile(LAB)
  if (!result.ok) throw new Error('the lab is invalid')
  const text = summary(result.network, '/run/x', '/run/x')
  expect(text).toContain('up: bridges br-in, br-ex; hosts vm1, vm2, outside; routers rt')
  for (const command of [
    'exec vm1 ping -c 3 10.0.0.254',
    'exec vm2 ip address show eth0',
    'show leases',
    'show fdb',
    'capture vm1 -w - | tcpdump -nr -',
    'top',
    'stop',
  ]) {
    expect(text).toContain(`  npx vswitchd-ts ${command} `)
  }
})

/** A copy of the command, and what makes it find something that was built in a minute of 1970. */
function bare() {
  const dir = testRundir()
  mkdirSync(join(dir, 'bin'), { recursive: true })
  const script = join(dir, 'bin/vswitchd-ts')
  copyFileSync(join(ROOT, 'bin/vswitchd-ts'), script)
  const built = (path: string, minute: number, text = '') => {
    const file = join(dir, 'dist', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    utimesSync(file, minute * 60, minute * 60)
  }
  return { script, built }
}

describe('in the background', () => {
  /** What becomes of a command when this is the program. */
  function start(program: string, ...args: string[]) {
    const { script, built } = bare()
    built('src/cli/main.js', 1, program)
    const { status, stdout, stderr } = spawnSync(script, args, { encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const say = (code: number) => `require('node:fs').writeSync(3, '${code}')\n`

  test.each(['-d', '--detach'])('%s: a process says what to exit with', (option) => {
    const program = `console.log(process.argv.slice(2).join(' ')); ${say(0)}process.exit(7)`
    const args = ['start', 'a b', option, '--log-level', 'debug']
    expect(start(program, ...args)).toEqual({ status: 0, stdout: `${args.join(' ')}\n`, stderr: '' })
    expect(start(`${say(6)}process.exit(7)`, ...args)).toMatchObject({ status: 6 })
  })

  test('one that dies without a word has failed', () => {
    expect(start(`process.kill(process.pid, 'SIGKILL')`, 'start', '-d')).toMatchObject({ status: 1 })
  })

  test('whatever else looks like it runs in the foreground', () => {
    const program = `console.log(process.env.VSWITCHD_TS_PARENT); process.exit(7)`
    for (const args of [['start', '--', '-d'], ['pki', '-d', '/tmp'], ['start']]) {
      expect(start(program, ...args)).toMatchObject({ status: 7, stdout: 'undefined\n' })
    }
  })

  test('of a start whose configuration is wrong nothing is left', () => {
    const rundir = join(testRundir(), 'fresh')
    const args = ['start', '/no/such/file', '--detach', '--rundir', rundir]
    const { status, stderr } = spawnSync(join(ROOT, 'bin/vswitchd-ts'), args, { encoding: 'utf8' })
    expect(stderr).toMatch(/^error: There is no configuration file/)
    expect(status).toBe(3)
    expect(existsSync(rundir)).toBe(false)
  })
})

describe('completion', () => {
  const complete = async (words: readonly string[]) => {
    const script = (await runCli(['completion', 'bash'])).out
    const quoted = words.map((w) => `'${w}'`).join(' ')
    const probe = `source /dev/stdin <<'EOS'\n${script}\nEOS\nCOMP_WORDS=(vswitchd-ts ${quoted}); COMP_CWORD=${words.length}\n_vswitchd_ts; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', probe], { cwd: ROOT, encoding: 'utf8' }).trimEnd().split('\n')
  }

  test.each([
    [['sh'], ['show']],
    [['st'], ['start', 'stop', 'status']],
    [
      ['show', 'f'],
      ['fdb', 'flows'],
    ],
    [['status', '--j'], ['--json']],
    [['start', '--det'], ['--detach']],
    [['check', 'examples/netns'], ['examples/netns-lab.json']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', '--help'],
    ],
  ])('bash completes %j', async (words, expected) => {
    expect(await complete(words)).toEqual(expected)
  })

  test('every shell gets every command', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { out } = await runCli(['completion', shell])
      for (const command of COMMANDS) expect(out).toContain(command)
    }
  })
})

test('every command is documented and takes its run directory from the environment', () => {
  const program = createProgram('1', () => Promise.reject(new Error('unused')))
  for (const command of program.commands) {
    expect(command.description()).not.toBe('')
    const rundir = command.options.find((o) => o.long === '--rundir')
    if (rundir !== undefined) expect(rundir.envVar).toBe('OVS_RUNDIR')
  }
})

test('numbers and times are short', () => {
  expect([0, 999, 1000, 9999, 1_234_567, 999_999, 5e13].map(short)).toEqual([
    '0',
    '999',
    '1.00k',
    '10.0k',
    '1.23M',
    '1.00M',
    '50.0T',
  ])
  expect([5, 65, 3725, 90_000].map(duration)).toEqual(['5s', '1m 5s', '1h 2m', '1d 1h'])
})

describe('bin', () => {
  test('vswitchd-ts without a build says what to do', () => {
    const { status, stderr } = spawnSync(bare().script, ['--version'], { encoding: 'utf8' })
    expect(status).toBe(6)
    expect(stderr).toBe(
      'error: vswitchd-ts has not been built yet.\nhint: Run bin/setup, or `npm start`, which does.\n',
    )
  })

  test('vswitchd-ts runs what was built last: its one file, or the many if they are newer', () => {
    const { script, built } = bare()
    const said = () => spawnSync(script, { encoding: 'utf8' }).stdout
    built('src/cli/main.js', 1, 'console.log("many")')
    expect(said()).toBe('many\n')
    for (const part of ['protocols', 'engine', 'src']) built(`${part}/.tsbuildinfo`, 1)
    built('program/vswitchd-ts.js', 2, 'console.log("one")')
    expect(said()).toBe('one\n')
    built('engine/.tsbuildinfo', 3)
    expect(said()).toBe('many\n')
  })

  test('setup refuses what it does not know', () => {
    expect(spawnSync(join(ROOT, 'bin/setup'), ['--bogus']).status).toBe(2)
  })
})
