/**
 * The unmodified Mininet of Debian makes its networks of our switch: it speaks to it by ovs-vsctl at the usual sockets,
 * and several controllers program it.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { type Background, COMMAND, ROOT, World } from '../support/world.ts'

/**
 * Mininet asks telnet whether a controller is there, and takes a byte of 127 for the end of what a command says: one in
 * forty greetings has one, in its transaction ID, and it would wait for ever.
 */
const TELNET = '#!/bin/bash\n(: <"/dev/tcp/$3/$4") 2>/dev/null && echo Connected\n'

let world: World
beforeAll(async () => {
  world = await World.create()
  await mkdir(join(world.dir, 'bin'))
  await writeFile(join(world.dir, 'bin', 'telnet'), TELNET, { mode: 0o755 })
  await world.start(undefined)
})
afterAll(() => world.close())

/** Where telnet is, and the reference controller under the name that it had. */
const path = () => `${join(world.dir, 'bin')}:${process.env.PATH}`

/** Runs one test of Mininet's; what it says. Its hosts, switches and links must be gone afterwards. */
async function mininet(...args: string[]): Promise<string> {
  const before = await devices()
  const { code, stdout, stderr } = await world.exec(['mn', ...args], {
    timeout: 60_000,
    // Mininet waits for a line a second, of which iperf since 2.1 prints none for a connection without data.
    env: { PATH: path(), IPERF_INTERVAL: '1', PYTHONDONTWRITEBYTECODE: '1' },
  })
  const said = stdout + stderr
  expect(code, said).toBe(0)
  expect(await world.ok(['ovs-vsctl', 'list-br'])).toBe('')
  await until(async () => (await devices()) === before, 'no device is left', 5000, devices)
  return said
}

const devices = () => world.ok(['ip', '-br', 'link'])

const TREE = ['--topo', 'tree,2', '--switch', 'ovs,datapath=user']
const REMOTE = ['--controller', 'remote,ip=127.0.0.1,port=6653']
const PAIR = ['--topo', 'linear,2', '--switch', 'ovs,datapath=user']
const NONE_DROPPED = 'Results: 0% dropped'

test('a tree of switches, by the controller that Mininet finds by itself', async () => {
  expect(await mininet(...TREE, '--test', 'pingall')).toContain(`${NONE_DROPPED} (12/12 received)`)
})

test('the reference controller by its old name, TCP at speed', async () => {
  await symlink('/usr/bin/ovs-testcontroller', join(world.dir, 'bin', 'controller'))
  const said = await mininet(...TREE, '--controller', 'ref', '--test', 'iperf')
  expect(said).toMatch(/Results: \['[0-9.]+ [MG]bits\/sec', '[0-9.]+ [MG]bits\/sec'\]/)
})

const CONTROLLERS: Record<string, readonly string[]> = {
  'our own': [COMMAND, 'controller', 'ptcp:6653:127.0.0.1'],
  'ovs-testcontroller': ['ovs-testcontroller', '--unixctl=none', 'ptcp:6653:127.0.0.1'],
  'os-ken': [
    ...['/usr/bin/osken-manager', '--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', '6653'],
    join(ROOT, 'test/support/programs/learning_switch.py'),
  ],
}

test.each(Object.entries(CONTROLLERS))('%s as remote controller', async (_name, command) => {
  const controller: Background = world.spawn(command, { env: { PYTHONDONTWRITEBYTECODE: '1' } })
  try {
    await until(
      async () => (await world.ok(['ss', '-Hltn', 'sport', '=', ':6653'])) !== '',
      'the controller listens',
      15_000,
      () => controller.output,
    )
    expect(await mininet(...PAIR, ...REMOTE, '--test', 'pingall'), controller.output).toContain(NONE_DROPPED)
  } finally {
    await controller.stop()
  }
})

test('without a controller, switches that learn by themselves, joined by patch ports', async () => {
  const standalone = ['--switch', 'ovs,datapath=user,failMode=standalone', '--controller', 'none']
  const said = await mininet('--topo', 'linear,2', '--link', 'ovs', ...standalone, '--test', 'pingall')
  expect(said).toContain(NONE_DROPPED)
})
