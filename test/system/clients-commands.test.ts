/** The commands as a person uses them beside a running lab. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { echoCommand, echoServer } from '../support/echo.ts'
import { iperfServer, iperfUdp } from '../support/iperf3.ts'
import { COMMAND, ROOT, World } from '../support/world.ts'

const EXAMPLE = join(ROOT, 'examples/netns-lab.json')
const OUTSIDE = '192.168.100.1'
let world: World
let config: string
let before: string

/** Everything of the network that a person can look at. */
const machine = () => world.sh('ip -d link; ip netns; ip address; ip route; ip rule; ip neigh')

beforeAll(async () => {
  world = await World.create()
  before = await machine()
  config = await world.file('lab.json', await readFile(EXAMPLE, 'utf8'))
  await world.start(config)
  await iperfServer(world, 'outside')
  await echoServer(world, 'outside', 7777)
})
afterAll(() => world?.close())

test('exec gives back output, input and the exit code of the command', async () => {
  expect(
    await world.cli(['exec', 'vm1', 'bash', '-c', 'cat; echo oops >&2; exit 42'], { input: 'in' }),
  ).toEqual({
    code: 42,
    stdout: 'in',
    stderr: 'oops\n',
  })
  expect((await world.cli(['exec', 'vm1', 'ping', '-c', '1', '-W', '2', '10.0.0.254'])).code).toBe(0)
  expect((await world.cli(['exec', 'vm1', 'ip', '-br', 'address'])).stdout).toContain('10.0.0.1/24')
  expect((await world.cli(['exec', 'vm1', 'ip', 'link', 'show', 'eth7'])).code).toBe(1)
})

test('check names the path, what stands there and what is expected', async () => {
  expect((await world.cli(['check', EXAMPLE])).code).toBe(0)
  const bad = await world.file('bad.json', {
    bridges: { 'br-in': {} },
    hosts: { vm1: { interfaces: { eth0: { bridge: 'br-inn', address: '10.0.0.300/24' } } } },
  })
  const { code, stdout, stderr } = await world.cli(['check', bad])
  expect(code).toBe(3)
  const text = `${stdout}${stderr}`
  expect(text).toContain('hosts.vm1.interfaces.eth0.address')
  expect(text).toContain('10.0.0.300/24')
  expect(text).toContain('hosts.vm1.interfaces.eth0.bridge')
  expect(text).toContain('br-inn')
})

test('tables for people have the same rows as those for programs', async () => {
  expect((await world.cli(['exec', 'vm1', 'ping', '-c', '2', '-i', '0.2', OUTSIDE])).code).toBe(0)
  for (const [table, key] of [
    ['fdb', 'mac'],
    ['arp', 'address'],
    ['routes', 'destination'],
    ['nat', 'source'],
    ['leases', 'address'],
  ] as const) {
    const rows = JSON.parse((await world.cli(['show', table, '--json'])).stdout)
    const text = (await world.cli(['show', table])).stdout
    expect(rows.length, table).toBeGreaterThan(0)
    for (const row of rows) expect(text, table).toContain(row[key])
  }
})

test('a capture written to a file has both directions, and why frames were dropped', async () => {
  const file = join(world.dir, 'vm1.pcapng')
  const capture = world.spawn([COMMAND, 'capture', 'vm1', '-w', file])
  await capture.waitFor(/./)
  // A TTL that ends at the router: the frame is dropped there, with a reason.
  const answered = await world.exec(['ping', '-c', '3', '-i', '0.3', '10.0.0.254'], { netns: 'vm1' })
  expect(answered.code).toBe(0)
  await world.exec(['ping', '-c', '2', '-i', '0.3', '-t', '1', '-W', '1', OUTSIDE], { netns: 'vm1' })
  expect(await capture.stop('SIGINT')).toBe(0)
  const text = await world.ok(['tcpdump', '-nr', file])
  expect(text).toMatch(/10\.0\.0\.1 > 10\.0\.0\.254: ICMP echo request/)
  expect(text).toMatch(/10\.0\.0\.254 > 10\.0\.0\.1: ICMP echo reply/)
  expect(text).toMatch(/ICMP time exceeded/)
  expect((await readFile(file)).toString('latin1')).toMatch(/ttl-expired/)
  expect((await stat(file)).size % 4).toBe(0)
})

test('a reload beside them loses no datagram of a flow, no ping, and none of the connections held through SNAT', async () => {
  const held = world.spawn(echoCommand('connect', OUTSIDE, 7777, 20), { netns: 'vm1' })
  await held.waitFor(/held 20 round 1$/m)
  const pings = world.spawn(['ping', '-q', '-i', '0.005', '-c', '400', '10.0.0.254'], { netns: 'vm2' })
  const reload = async () => {
    const { code, stderr } = await world.cli(['reload'])
    expect(code, stderr).toBe(0)
  }
  const lab = await readFile(EXAMPLE, 'utf8')
  const vm3 = '"vm3": { "interfaces": { "eth0": { "bridge": "br-in", "address": "10.0.0.3/24" } } },'
  const server = { netns: 'outside', address: OUTSIDE }
  const { lost } = await iperfUdp(world, 'vm1', server, ['-t', '2'], async () => {
    await world.file('lab.json', lab.replace('"hosts": {', `"hosts": { ${vm3}`))
    await reload()
    expect((await world.exec(['ping', '-c', '1', '-W', '2', '10.0.0.1'], { netns: 'vm3' })).code).toBe(0)
    await world.file('lab.json', lab)
    await reload()
  })
  expect(lost).toBe(0)
  await pings.waitFor(/400 packets transmitted, 400 received, 0% packet loss/)
  held.write('again\n')
  await held.waitFor(/held 20 round 2$/m)
  held.end()
  expect(await held.exited).toBe(0)
})

test('after stop the machine looks as it did before start', async () => {
  expect(await world.cli(['stop'])).toMatchObject({ code: 0, stdout: 'stopped\n' })
  expect(await machine()).toBe(before)
})
