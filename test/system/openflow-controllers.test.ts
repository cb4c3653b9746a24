/** Bridges with controllers: real ones, none at all, and over TLS. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { ROOT, World } from '../support/world.ts'

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

test('an os-ken application makes a learning switch of our bridge', async () => {
  const app = world.spawn([
    ...['/usr/bin/python3', '/usr/bin/osken-manager', '--ofp-listen-host', '127.0.0.1'],
    ...['--ofp-tcp-listen-port', '6653', join(ROOT, 'test/support/programs/learning_switch.py')],
  ])
  const controllers = [{ target: here(6653), maxBackoff: 1000 }]
  await world.start(config({ controllers, failMode: 'secure' }))
  const o13 = ['-O', 'OpenFlow13']
  const said = () => app.output
  await until(
    async () => (await flows(...o13)).includes('CONTROLLER'),
    'the application is there',
    20_000,
    said,
  )
  await until(() => reaches(), 'vm2 answers vm1', 15_000, said)
  expect(await reaches(10)).toBe(true)
  expect(await forwarded(...o13)).toBeGreaterThan(10)
  expect(await flows(...o13)).toMatch(/priority=1,in_port=\d+,dl_src=\S+,dl_dst=\S+ actions=output:\d+/)
})

test('TLS with certificates on both sides, actively and passively', async () => {
  await world.sh(`cd ${world.dir}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
    for who in switch controller; do
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $who.key -out $who.req -subj /CN=$who
      openssl x509 -req -in $who.req -CA ca.pem -CAkey ca.key -CAcreateserial -out $who.pem -days 2
    done 2>&1`)
  const at = (file: string) => `${world.dir}/${file}`
  const keys = ['-p', at('controller.key'), '-c', at('controller.pem'), '-C', at('ca.pem')]
  // Not by 1.5: there ovs-testcontroller 3.1 writes what it has not initialized into its packet-outs.
  const controller = world.spawn(['ovs-testcontroller', '-O', 'OpenFlow14', ...keys, 'pssl:6653:127.0.0.1'])
  const ssl = { privateKey: 'switch.key', certificate: at('switch.pem'), caCert: './ca.pem' }
  const controllers = ['ssl:127.0.0.1:6653', 'pssl:6654:127.0.0.1']
  await world.start(config({ controllers, failMode: 'secure' }, { ssl }))
  await until(
    () => reaches(),
    'vm2 answers vm1',
    15_000,
    () => controller.output,
  )
  expect(await world.ok(['ovs-ofctl', ...keys, 'show', 'ssl:127.0.0.1:6654'])).toContain('1(vm1.eth0)')
  const stranger = await world.exec(['ovs-ofctl', '-C', at('ca.pem'), 'show', 'ssl:127.0.0.1:6654'])
  expect(stranger.code).toBe(1)
})
