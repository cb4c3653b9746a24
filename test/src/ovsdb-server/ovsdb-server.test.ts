import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { TlsFiles } from '../../../src/net/tls.ts'
import { runVsctl } from '../../../src/vsctl/vsctl.ts'
import { makePeers } from '../../support/certificates.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const MANAGERS = 'db:Open_vSwitch,Open_vSwitch,manager_options'
const OURS = join(import.meta.dirname, '../../../bin/openvswitch')

const dir = new OvsdbDirectory()
const running: { stop(): void }[] = []
afterEach(() => {
  for (const process of running.splice(0)) process.stop()
})
afterAll(() => dir.remove())

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command with our programs in front of the path. */
function run(command: string, ...args: string[]): Result {
  const env = { ...dir.environment(), PATH: `${OURS}:${process.env.PATH}` }
  const { status, stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8', timeout: 30_000 })
  return { code: status, stdout, stderr }
}

/** Starts ours in the background; it is ready when this returns. */
function start(name: string, ...args: string[]): { readonly ctl: string; readonly remote: string } {
  const [socket, ctl, pid] = ['sock', 'ctl', 'pid'].map((kind) => dir.file(`${name}.${kind}`))
  const common = [
    `--remote=punix:${socket}`,
    `--unixctl=${ctl}`,
    `--pidfile=${pid}`,
    '--detach',
    '-vconsole:off',
  ]
  const { code, stderr } = run('ovsdb-server', ...common, ...args)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const id = Number(readFileSync(pid, 'utf8'))
  running.push({
    stop: () => {
      if (existsSync(pid)) process.kill(id, 'SIGKILL')
    },
  })
  return { ctl, remote: `unix:${socket}` }
}

const appctl = (ctl: string, ...args: string[]) => run('ovs-appctl', '-t', ctl, ...args)
const vsctl = (remote: string, ...args: string[]) =>
  run('ovs-vsctl', `--db=${remote}`, '--timeout=20', ...args)

/** `ovs-vswitchd` of Open vSwitch without any device of the machine. */
function startVswitchd(remote: string): void {
  const child: ChildProcess = spawn(
    '/usr/sbin/ovs-vswitchd',
    [
      remote,
      '--enable-dummy=override',
      '--disable-system',
      '-vconsole:off',
      `--unixctl=${dir.file('vswitchd.ctl')}`,
    ],
    { env: dir.environment(), stdio: 'ignore' },
  )
  running.push({ stop: () => child.kill('SIGKILL') })
}

/** What ovs-vsctl says when the switch has done what was wanted, or cannot, our own says too. */
async function sameAsOurs(
  remote: string,
  prefix: string,
  words: (name: string) => string[],
): Promise<string> {
  const [one, another] = ['1', '2'].map((n) => prefix + n)
  const { code, stdout, stderr } = vsctl(remote, ...words(one))
  const said = { stdout: '', stderr: '' }
  const ours = await runVsctl([`--db=${remote}`, '--timeout=20', ...words(another)], {
    out: (text) => {
      said.stdout += text
    },
    err: (text) => {
      said.stderr += text
    },
  })
  const named = (text: string) =>
    text.replaceAll(one, another).replace(/log directory is ".*"/, 'log directory')
  expect({ code: ours, stdout: said.stdout, stderr: named(said.stderr) }).toEqual({
    code,
    stdout: named(stdout),
    stderr: named(stderr),
  })
  return stderr
}

describe('ovsdb-server', () => {
  test('serves ovs-vsctl and the real ovs-vswitchd, and keeps all over a restart', async () => {
    const file = dir.create('conf.db')
    const server = start('first', file, `--remote=${MANAGERS}`)
    expect(vsctl(server.remote, '--no-wait', 'init').code).toBe(0)
    startVswitchd(server.remote)
    const added = vsctl(
      server.remote,
      'add-br',
      'br0',
      '--',
      'add-port',
      'br0',
      'p1',
      'tag=5',
      '--',
      'set',
      'Interface',
      'p1',
      'ofport_request=7',
    )
    expect(added).toEqual({ code: 0, stdout: '', stderr: '' })
    // It has returned because the switch has done it.
    expect(vsctl(server.remote, 'get', 'Interface', 'p1', 'ofport').stdout).toBe('7\n')
    expect(vsctl(server.remote, 'list-ports', 'br0').stdout).toBe('p1\n')
    await sameAsOurs(server.remote, 'a', (name) => [
      'add-port',
      'br0',
      name,
      '--',
      'get',
      'Port',
      name,
      'name',
    ])
    const refused = await sameAsOurs(server.remote, 'wrong', (name) => [
      'add-port',
      'br0',
      name,
      '--',
      'set',
      'Interface',
      name,
      'type=nonsense',
    ])
    expect(refused).toContain("Error detected while setting up 'wrong1'")
    await sameAsOurs(server.remote, 'a', (name) => ['--if-exists', 'del-port', name])
    expect(vsctl(server.remote, 'set-manager', 'ptcp:0:127.0.0.1').code).toBe(0)
    expect(vsctl(server.remote, 'del-port', 'p1').code).toBe(0)
    expect(appctl(server.ctl, 'ovsdb-server/compact')).toMatchObject({ code: 0 })
    const shown = vsctl(server.remote, 'show').stdout.replace(/^.*is_connected.*\n/gm, '')
    for (const process of running.splice(1)) process.stop()
    expect(appctl(server.ctl, 'exit').code).toBe(0)
    expect(existsSync(dir.file('first.pid'))).toBe(false)
    running.length = 0
    const again = start('second', file)
    expect(vsctl(again.remote, '--no-wait', 'show').stdout.replace(/^.*is_connected.*\n/gm, '')).toBe(shown)
    expect(shown).toContain('Bridge br0')
  })

  test('answers ovs-appctl as the original does', async () => {
    const files = [dir.create('ours.db'), dir.create('theirs.db')]
    const ours = start('ours', files[0], '--log-file')
    const theirs = await dir.serve('theirs.sock', [files[1]])
    const theirCtl = `${dir.file('theirs.sock')}.ctl`
    const commands = [
      ['ovsdb-server/list-dbs'],
      ['ovsdb-server/sync-status'],
      ['ovsdb-server/get-active-ovsdb-server'],
      ['ovsdb-server/connect-active-ovsdb-server'],
      ['ovsdb-server/disconnect-active-ovsdb-server'],
      ['ovsdb-server/set-active-ovsdb-server', 'tcp:127.0.0.1:1'],
      ['ovsdb-server/get-active-ovsdb-server'],
      ['ovsdb-server/set-sync-exclude-tables', 'Open_vSwitch:Port'],
      ['ovsdb-server/get-sync-exclude-tables'],
      ['ovsdb-server/compact'],
      ['ovsdb-server/compact', 'nix'],
      ['ovsdb-server/add-db', dir.file('nix.db')],
      ['ovsdb-server/remove-db', 'nix'],
      ['ovsdb-server/add-db', 'relay:Far'],
      ['ovsdb-server/add-db', `relay:_Far:unix:${dir.file('nix.sock')}`],
      ['ovsdb-server/add-db', `relay:Far:unix:${dir.file('nix.sock')},unix:${dir.file('nix2.sock')}`],
      ['ovsdb-server/list-dbs'],
      ['ovsdb-server/get-db-storage-status', 'Far'],
      ['ovsdb-server/remove-db', 'Far'],
      ['ovsdb-server/list-dbs'],
      ['ovsdb-server/add-remote', 'db:nix,a,b'],
      ['ovsdb-server/add-remote', 'ptcp:0:127.0.0.1'],
      ['ovsdb-server/remove-remote', 'ptcp:0:127.0.0.1'],
      ['ovsdb-server/remove-remote', 'ptcp:0:127.0.0.1'],
      ['ovsdb-server/tlog-set', 'Open_vSwitch:Port', 'on'],
      ['ovsdb-server/tlog-list'],
      ['ovsdb-server/tlog-set', 'Open_vSwitch:Nix', 'on'],
      ['ovsdb-server/memory-trim-on-compaction', 'x'],
      ['ovsdb-server/memory-trim-on-compaction', 'on'],
      ['ovsdb-server/compact', 'Open_vSwitch'],
      ['ovsdb-server/perf-counters-clear'],
      ['memory/show'],
      ['ovsdb-server/reconnect'],
      ['ovsdb-server/get-db-storage-status', 'Open_vSwitch'],
      ['ovsdb-server/remove-db', 'Open_vSwitch'],
      ['ovsdb-server/list-dbs'],
      ['no-such-command'],
    ]
    const answers = (ctl: string) =>
      commands.map((c) => [c, { ...appctl(ctl, ...c), stderr: appctl(ctl, 'nix').code === 2 ? '' : '!' }])
    expect(answers(ours.ctl)).toEqual(answers(theirCtl))
    expect(appctl(ours.ctl, 'ovsdb-server/add-db', files[0]).code).toBe(0)
    expect(appctl(ours.ctl, 'ovsdb-server/list-remotes').stdout).toBe(`p${ours.remote}\n`)
    const log = readFileSync(dir.file('ovsdb-server.log'), 'utf8')
    expect(log).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|ovsdb_server\|INFO\|ovsdb-server \(Open vSwitch\) 3\.1\.0$/m,
    )
    const names = (ctl: string) =>
      [...appctl(ctl, 'list-commands').stdout.matchAll(/^ {2}(\S+)/gm)].map((m) => m[1])
    expect(names(ours.ctl)).toEqual(expect.arrayContaining(names(theirCtl)))
    await theirs.stop()
  })

  test('has clients that must do without conditions do so, and counts what they do', () => {
    const { ctl, remote } = start('plain', dir.create('plain.db'))
    appctl(ctl, 'ovsdb-server/disable-monitor-cond')
    expect(vsctl(remote, '--no-wait', 'add-br', 'br0').code).toBe(0)
    expect(Number(appctl(ctl, 'coverage/read-counter', 'txn_success').stdout)).toBeGreaterThan(0)
    expect(appctl(ctl, 'coverage/show').stdout).toMatch(/^jsonrpc_request +total: \d+$/m)
  })

  test('a session that was recorded is done again: transaction by transaction the same, UUIDs too', () => {
    const file = dir.create('recorded.db')
    const before = dir.file('replayed.db')
    copyFileSync(file, before)
    mkdirSync(dir.file('recording'))
    const { ctl, remote } = start('recorded', file, '--record=recording', `--remote=${MANAGERS}`)
    const manager = 'ptcp:0:127.0.0.1'
    for (const words of [['init'], ['add-br', 'br0'], ['set-manager', manager], ['emer-reset']]) {
      expect(vsctl(remote, '--no-wait', ...words).stderr).toBe('')
    }
    appctl(ctl, 'ovsdb-server/compact')
    const wait = {
      op: 'wait',
      timeout: 100,
      table: 'Bridge',
      where: [],
      columns: ['name'],
      until: '==',
      rows: [],
    }
    run('ovsdb-client', 'transact', remote, JSON.stringify(['Open_vSwitch', wait]))
    expect(vsctl(remote, '--no-wait', 'add-port', 'br0', 'p0').code).toBe(0)
    appctl(ctl, 'exit')
    const again = run('ovsdb-server', before, '--replay=recording', '--unixctl=none', '-vconsole:off')
    expect(again).toEqual({ code: 0, stdout: '', stderr: '' })
    const transactions = (path: string) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => {
          const { _date, ...tables } = JSON.parse(line) as { _date?: number }
          return tables
        })
    expect(transactions(file)).toHaveLength(3)
    expect(transactions(before)).toEqual(transactions(file))
    expect(run('ovsdb-server', before, '--replay=nowhere', '--unixctl=none').code).toBe(1)
  })

  test('runs a command and ends with it', () => {
    const file = dir.create('run.db')
    const socket = dir.file('run.sock')
    const server = (command: string) =>
      run(
        'ovsdb-server',
        file,
        `--remote=punix:${socket}`,
        '--unixctl=none',
        '-vconsole:off',
        `--run=${command}`,
      )
    expect(server(`ovsdb-client list-dbs unix:${socket}`)).toEqual({
      code: 0,
      stdout: 'Open_vSwitch\n_Server\n',
      stderr: '',
    })
    expect(server('exit 3').code).toBe(1)
  })

  test('says why it does not start', () => {
    const absent = dir.file('absent.db')
    expect(run('ovsdb-server', absent)).toEqual({
      code: 1,
      stdout: '',
      stderr: `ovsdb-server: I/O error: ${absent}: open failed (No such file or directory)\n`,
    })
    const damaged = dir.file('damaged.db')
    writeFileSync(damaged, 'hello\n')
    expect(run('ovsdb-server', '--detach', damaged)).toMatchObject({
      code: 1,
      stderr: `ovsdb-server: ovsdb error: ${damaged}: unexpected file format\n`,
    })
    expect(run('ovsdb-server', '--color')).toMatchObject({ code: 1 })
    expect(run('ovsdb-server', '--version').stdout).toBe('ovsdb-server (Open vSwitch) 3.1.0\n')
  })

  test('starts and stops by the scripts of Open vSwitch', () => {
    const ctl = (...args: string[]) =>
      run('/usr/share/openvswitch/scripts/ovs-ctl', '--no-ovs-vswitchd', '--system-id=lab', ...args)
    const started = ctl('start')
    expect(started.stdout).toContain('Starting ovsdb-server')
    expect(started.code).toBe(0)
    expect(ctl('status').stdout).toMatch(/^ovsdb-server is running with pid \d+$/m)
    expect(run('ovs-vsctl', '--no-wait', 'get', 'Open_vSwitch', '.', 'external_ids:system-id').stdout).toBe(
      'lab\n',
    )
    expect(ctl('stop').stdout).toMatch(/Exiting ovsdb-server \(\d+\)/)
    expect(existsSync(dir.file('ovsdb-server.pid'))).toBe(false)
  })
})

describe('active and backup', () => {
  const insert = (remote: string, name: string) => {
    const { code, stderr } = vsctl(
      remote,
      '--no-wait',
      '--',
      '--id=@m',
      'create',
      'Manager',
      `target="${name}"`,
      '--',
      'add',
      'Open_vSwitch',
      '.',
      'manager_options',
      '@m',
    )
    return { code, stderr }
  }
  const targets = (remote: string) => vsctl(remote, '--no-wait', '--', 'get-manager').stdout

  test.each([
    ['ours of theirs', 'ours'],
    ['theirs of ours', 'theirs'],
  ])('%s', async (_, backupIs) => {
    const files = ['active', 'backup'].map((role) => dir.create(`${backupIs}-${role}.db`))
    const active =
      backupIs === 'ours'
        ? (await dir.serve(`${backupIs}-active`, [files[0]])).remote
        : start(`${backupIs}-active`, files[0]).remote
    insert(active, 'tcp:1.1.1.1:1')
    const backup =
      backupIs === 'ours'
        ? start(`${backupIs}-backup`, files[1], `--sync-from=${active}`)
        : await dir.serve(`${backupIs}-backup`, [files[1]], `--sync-from=${active}`)
    const ctl = 'ctl' in backup ? backup.ctl : `${dir.file(`${backupIs}-backup`)}.ctl`
    await until(() => targets(backup.remote) === 'tcp:1.1.1.1:1\n', 'the backup is as the active one')
    insert(active, 'tcp:2.2.2.2:2')
    await until(() => targets(backup.remote).includes('2.2.2.2'), 'the backup follows')
    expect(appctl(ctl, 'ovsdb-server/sync-status').stdout).toBe(
      `state: backup\nreplicating: ${active}\ndatabase: Open_vSwitch\n`,
    )
    expect(insert(backup.remote, 'tcp:3.3.3.3:3')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('read only mode'),
    })
    expect(appctl(ctl, 'ovsdb-server/disconnect-active-ovsdb-server').code).toBe(0)
    expect(appctl(ctl, 'ovsdb-server/sync-status').stdout).toBe('state: active\n')
    expect(insert(backup.remote, 'tcp:3.3.3.3:3')).toMatchObject({ code: 0 })
    expect(targets(active)).not.toContain('3.3.3.3')
    // A backup once more, it forgets what it has of its own.
    expect(appctl(ctl, 'ovsdb-server/connect-active-ovsdb-server').code).toBe(0)
    await until(() => !targets(backup.remote).includes('3.3.3.3'), 'the backup is as the active one')
    expect(targets(backup.remote)).toContain('2.2.2.2')
  })
})

test('managers come by TLS; the first teaches whom to trust, and strangers are turned away', async () => {
  const { switch: ours, controller: theirs } = await makePeers(dir.file('tls'))
  const column = (name: string) => `db:Open_vSwitch,SSL,${name}`
  const { remote } = start(
    'tls',
    dir.create('tls.db'),
    `--remote=${MANAGERS}`,
    `--private-key=${column('private_key')}`,
    `--certificate=${column('certificate')}`,
    `--bootstrap-ca-cert=${column('ca_cert')}`,
  )
  const kept = dir.file('kept.pem')
  vsctl(remote, '--no-wait', 'init')
  vsctl(remote, '--no-wait', '--bootstrap', 'set-ssl', ours.privateKey, ours.certificate, kept)
  vsctl(remote, '--no-wait', 'set-manager', 'pssl:0:127.0.0.1')
  const port = await until(
    () => /\d+/.exec(vsctl(remote, 'get', 'manager', '.', 'status:bound_port').stdout)?.[0],
    'the manager is waited for',
  )
  const by = (files: TlsFiles, ...more: string[]) => {
    const keys = ['-p', files.privateKey, '-c', files.certificate, '-C', theirs.caCert, ...more]
    return vsctl(`ssl:127.0.0.1:${port}`, ...keys, 'get-ssl').stdout
  }
  const authority = dir.file('tls/pki/controllerca/cacert.pem')
  expect(by(theirs, '--retry', '--peer-ca-cert', authority)).toContain(`CA Certificate: ${kept}`)
  expect(readFileSync(kept, 'utf8')).toBe(readFileSync(authority, 'utf8'))
  expect(by(theirs)).toContain('Bootstrap: true')
  expect(by(ours)).toBe('')
})
