import { existsSync, readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { World } from '../support/world.ts'

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

test('a world has devices, namespaces, processes and /etc of its own, and leaves nothing behind', async () => {
  world = await World.create()
  await world.sh('ip netns add vm1; ip link add veth0 type veth peer name veth1; mkdir -p /etc/netns/vm1')
  expect(await world.ok(['ip', 'netns', 'list'])).toMatch(/^vm1/)
  expect(await world.ok(['ls', '/sys/class/net'])).toContain('veth0')
  expect(existsSync('/run/netns/vm1')).toBe(false)
  expect(existsSync('/etc/netns/vm1')).toBe(false)
  expect(existsSync(world.path('/etc/netns/vm1'))).toBe(true)
  expect(await world.ok(['ip', '-br', 'link'], { netns: 'vm1' })).not.toContain('veth0')
  const dir = world.dir
  await world.close()
  expect(existsSync(dir)).toBe(false)
})

test('output, exit codes, signals and input of commands pass', async () => {
  world = await World.create()
  expect(await world.exec(['bash', '-c', 'cat; echo oops >&2; exit 7'], { input: 'hello' })).toEqual({
    code: 7,
    stdout: 'hello',
    stderr: 'oops\n',
  })
  const asleep = world.spawn([
    'bash',
    '-c',
    'trap "echo caught; exit 3" USR1; echo on; while :; do sleep 0.1; done',
  ])
  await asleep.waitFor(/^on$/m)
  expect(readFileSync(`/proc/${asleep.pid}/cmdline`, 'utf8')).toMatch(/^bash\0/)
  expect(await asleep.stop('SIGUSR1')).toBe(3)
  expect(asleep.stdout).toContain('caught')
  expect((await world.exec(['sleep', '50'], { timeout: 300 })).code).toBe(128 + 9)
  await expect(world.ok(['false'])).rejects.toThrow('false gave 1')
})

test('waiting for output that does not come says what did', async () => {
  world = await World.create()
  const talker = world.spawn(['bash', '-c', 'echo something else; sleep 60'])
  await expect(talker.waitFor(/never/, 300)).rejects.toThrow('something else')
  const brief = world.spawn(['echo', 'bye'])
  await expect(brief.waitFor(/never/)).rejects.toThrow(/ended before.*\nbye/s)
})
