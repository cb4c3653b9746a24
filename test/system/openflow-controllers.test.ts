/** Bridges with controllers, and with none at all. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
  // Where ovs-testcontroller has its control socket.
  await world.ok(['mkdir', '-p', '/run/openvswitch'])
})
afterEach(() => world.close())

function config(bridge: object, top: object = {}) {
  const host = (i: number) => ({ interfaces: { eth0: { bridge: 'br0', address: `10.0.0.${i}/24` } } })
  return { bridges: { br0: bridge }, hosts: { vm1: host(1), vm2: host(2) }, ...top }
}

/** Whether vm2 answers vm1. */
async function reaches(count = 1): Promise<boolean> {
  const { code } = await world.exec(['ping', '-c', String(count), '-i', '0.2', '-W', '1', '10.0.0.2'], {
    netns: 'vm1',
  })
  return code === 0
}

const flows = async (...args: string[]) =>
  (await world.ok(['ovs-ofctl', ...args, '--no-stats', 'dump-flows', 'br0'])).trim()
const here = (port: number) => `tcp:127.0.0.1:${port}`

test('standalone: without its controller the bridge becomes a learning switch, until one is there', async () => {
  const controllers = [{ target: here(6653), inactivityProbe: 1500, maxBackoff: 1000 }]
  await world.start(config({ controllers }))
  expect(await flows()).toBe('')
  await until(async () => (await flows()).includes('actions=NORMAL'), 'the bridge fails open', 10_000)
  expect(await reaches()).toBe(true)
  // A controller that says nothing at all programs nothing, but it is there.
  world.spawn(['ovs-testcontroller', '--mute', '-N', 'ptcp:6653:127.0.0.1'])
  await until(async () => !(await flows()).includes('cookie'), 'the controller takes over', 10_000)
})

test('secure: without its controller the bridge forwards nothing but what it was told', async () => {
  const controllers = [{ target: here(6653), inactivityProbe: 500 }]
  await world.start(config({ controllers, failMode: 'secure' }))
  expect(await reaches()).toBe(false)
  await world.ok(['ovs-ofctl', 'add-flow', 'br0', 'actions=normal'])
  expect(await reaches(10)).toBe(true)
})

test('a reload changes controllers, fail mode and versions by difference', async () => {
  const daemon = await world.start(config({}))
  expect(await flows()).toBe('priority=0 actions=NORMAL')
  const reload = async (bridge: object) => {
    const path = await world.file('other.json', config(bridge))
    const result = await world.cli(['reload', path])
    expect(result.stderr).toBe('')
  }
  await reload({ failMode: 'secure' })
  expect(await flows()).toBe('')
  await reload({ controllers: ['ptcp:6654:127.0.0.1'] })
  expect(await flows()).toBe('priority=0 actions=NORMAL')
  const show = (version: string) => world.exec(['ovs-ofctl', '-O', version, 'show', here(6654)])
  expect((await show('OpenFlow13')).stdout).toContain('1(vm1.eth0)')
  await reload({ controllers: ['ptcp:6654:127.0.0.1'], protocols: ['OpenFlow10'] })
  expect((await show('OpenFlow13')).stderr).toContain('version negotiation failed')
  expect((await show('OpenFlow10')).code).toBe(0)
  await reload({})
  expect((await show('OpenFlow10')).stderr).toContain('Connection refused')
  expect(daemon.running).toBe(true)
})

/** Packets that flows with actions have forwarded. */
async function forwarded(...args: string[]): Promise<number> {
  const text = await world.ok(['ovs-ofctl', ...args, 'dump-flows', 'br0'])
  const counts = [...text.matchAll(/n_packets=(\d+).*actions=(?!CONTROLLER|drop)/g)]
  return counts.reduce((sum, [, n]) => sum + Number(n), 0)
}

test.each([
  ['tcp', 'OpenFlow10'],
  ['unix', 'OpenFlow13'],
])('ovs-testcontroller over %s teaches the bridge by %s', async (method, protocol) => {
  const target = method === 'tcp' ? here(6653) : `unix:${world.dir}/controller.sock`
  const listen = method === 'tcp' ? 'ptcp:6653:127.0.0.1' : `punix:${world.dir}/controller.sock`
  world.spawn(['ovs-testcontroller', '-O', protocol, listen])
  await world.start(config({ controllers: [target], failMode: 'secure', protocols: [protocol] }))
  await until(() => reaches(), 'vm2 answers vm1', 15_000)
  const before = await forwarded('-O', protocol)
  expect(await reaches(10)).toBe(true)
  expect(await forwarded('-O', protocol)).toBeGreaterThan(before + 10)
})
