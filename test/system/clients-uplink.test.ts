/**
 * Traffic over a real interface: one end of a veth pair stands for the card of examples/uplink.json, the other
 * is in the namespace of the provider. Both keep the offloads that they come with.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { iperf, iperfServer, iperfUdp } from '../support/iperf3.ts'
import { sniff } from '../support/sniffer.ts'
import { type Background, ROOT, World } from '../support/world.ts'

const PROVIDER = '192.168.100.1'
let world: World
let daemon: Background
let before: string

/** Addresses and routes of the machine. */
const machine = () => world.sh('ip -4 -o address; ip route')

beforeAll(async () => {
  world = await World.create()
  await world.sh(`
    ip netns add provider
    ip link add eno1 type veth peer name eth0 netns provider
    ip -n provider address add ${PROVIDER}/24 dev eth0
    ip -n provider link set eth0 up
    ip address add 192.168.100.21/24 dev eno1
    ip link set eno1 up
    ip route add default via ${PROVIDER}`)
  before = await machine()
  const example = await readFile(join(ROOT, 'examples/uplink.json'), 'utf8')
  expect(example).toContain('"device": "eth0"')
  daemon = await world.start(
    await world.file('uplink.json', example.replace('"device": "eth0"', '"device": "eno1"')),
  )
  await iperfServer(world, 'provider')
})
afterAll(() => world?.close())

test('iperf3: hosts by SNAT and the machine by its moved address, TCP in both directions and UDP', async () => {
  for (const from of ['vm1', undefined]) {
    for (const direction of [[], ['-R']]) {
      const { sum_received } = await iperf(world, from, PROVIDER, ['-n', '100M', ...direction])
      expect(sum_received.bytes, `${from} ${direction}`).toBeGreaterThan(90 * 2 ** 20)
    }
    const provider = { netns: 'provider', address: PROVIDER }
    const { packets, lost } = await iperfUdp(world, from, provider, ['-t', '1'])
    expect(packets, from).toBeGreaterThan(500)
    expect(lost, from).toBe(0)
  }
})

test('a download from the provider is the same on both sides', async () => {
  await world.sh('mkdir /run/www; head -c 50M /dev/urandom > /run/www/file')
  await world.sh('busybox httpd -p 80 -h /run/www', { netns: 'provider' })
  const file = await world.sh('sha256sum < /run/www/file')
  for (const where of [{ netns: 'vm1' }, {}]) {
    expect(await world.sh(`curl -sS --fail http://${PROVIDER}/file | sha256sum`, where)).toBe(file)
  }
})

test('the provider sees the router and the machine, and nobody behind them', async () => {
  const provider = await sniff(world, 'provider', { filter: ['icmp'] })
  for (const where of [{ netns: 'vm1' }, { netns: 'vm2' }, {}]) {
    expect((await world.exec(['ping', '-c', '1', '-W', '3', PROVIDER], where)).code).toBe(0)
  }
  await provider.saw(/IP 192\.168\.100\.21 > 192\.168\.100\.1: ICMP echo request/)
  await provider.saw(/(IP 192\.168\.100\.11 > 192\.168\.100\.1: ICMP echo request[\s\S]*){2}/)
  expect(await provider.stop()).not.toMatch(/\b10\.0\.0\./)
})

test('the provider reaches the machine, and the web server on vm1 by the port forward', async () => {
  await world.sh('busybox httpd -p 80 -h /run/www', { netns: 'vm1' })
  const { code, stderr } = await world.exec(
    ['curl', '-sS', '--fail', '-o', '/dev/null', 'http://192.168.100.11:8080/file'],
    { netns: 'provider' },
  )
  expect(code, stderr).toBe(0)
  expect(
    (await world.exec(['ping', '-c', '1', '-W', '3', '192.168.100.21'], { netns: 'provider' })).code,
  ).toBe(0)
})

test('at the end the machine has its addresses and routes as they were', async () => {
  expect(await daemon.stop()).toBe(0)
  expect(await machine()).toBe(before)
  expect((await world.exec(['ping', '-c', '1', '-W', '3', PROVIDER])).code).toBe(0)
})
