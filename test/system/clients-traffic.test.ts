/** Bytes in quantity through bridge and SNAT: iperf3, a large download, many connections at once. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { echoCommand, echoServer } from '../support/echo.ts'
import { iperf, iperfServer, iperfUdp } from '../support/iperf3.ts'
import { type Background, ROOT, World } from '../support/world.ts'

const OUTSIDE = '192.168.100.1'
let world: World
let vm2: string

beforeAll(async () => {
  world = await World.create()
  await world.start(join(ROOT, 'examples/netns-lab.json'))
  const [link] = JSON.parse(await world.ok(['ip', '-n', 'vm2', '-j', '-4', 'address', 'show', 'eth0']))
  vm2 = link.addr_info[0].local
  await iperfServer(world, 'vm2')
  await iperfServer(world, 'outside')
})
afterAll(() => world?.close())

interface Connection {
  readonly protocol: string
  readonly state: string
  readonly destination: string
  readonly replyDestination: string
}
const nat = async (): Promise<Connection[]> => JSON.parse((await world.cli(['show', 'nat', '--json'])).stdout)

const paths = () => [
  { path: 'the bridge', netns: 'vm2', address: vm2 },
  { path: 'SNAT', netns: 'outside', address: OUTSIDE },
]

test('iperf3 TCP: what is sent arrives, through bridge and SNAT, in both directions', async () => {
  for (const { path, address } of paths()) {
    for (const direction of [[], ['-R']]) {
      const { sum_sent, sum_received } = await iperf(world, 'vm1', address, ['-n', '100M', ...direction])
      expect(sum_sent.bytes, `${path} ${direction}`).toBeGreaterThanOrEqual(100 * 2 ** 20)
      // iperf3 stops reading when the sender says that it is done; what is in flight then is not counted.
      expect(sum_received.bytes, `${path} ${direction}`).toBeGreaterThan(80 * 2 ** 20)
    }
  }
})

test('iperf3 UDP: no datagram is lost at a moderate rate, also of those that need fragments', async () => {
  for (const options of [[], ['-R'], ['-l', '4000']]) {
    for (const server of paths()) {
      const { packets, lost } = await iperfUdp(world, 'vm1', server, ['-t', '1', ...options])
      expect(packets, `${server.path} ${options}`).toBeGreaterThan(500)
      expect(lost, `${server.path} ${options}`).toBe(0)
    }
  }
})

test('a download of 256 MB through SNAT is the same on both sides', async () => {
  await world.sh(
    'mkdir /run/www; mount -t tmpfs -o size=300m tmpfs /run/www; head -c 256M /dev/urandom > /run/www/large',
  )
  const server = world.spawn(['busybox', 'httpd', '-f', '-p', '80', '-h', '/run/www'], { netns: 'outside' })
  const checksum = async (command: string, netns: string) =>
    (await world.sh(`set -o pipefail; ${command} | sha256sum`, { netns })).split(' ')[0]
  const received = await checksum(
    `curl -sS --fail --retry 20 --retry-connrefused --retry-delay 1 --max-time 60 http://${OUTSIDE}/large`,
    'vm1',
  )
  expect(received).toBe(await checksum('cat /run/www/large', 'outside'))
  await server.stop()
})

test('1,000 TCP connections at once through SNAT, each with an answer of its own, and counted', async () => {
  const server = await echoServer(world, 'outside', 7777)
  const client = world.spawn(echoCommand('connect', OUTSIDE, 7777, 1000), { netns: 'vm1' })
  await client.waitFor(/held 1000 round 1$/m)
  const connections = (await nat()).filter(
    (row) => row.protocol === 'tcp' && row.state === 'ESTABLISHED' && row.destination === `${OUTSIDE}:7777`,
  )
  expect(connections).toHaveLength(1000)
  const mapped = new Set(connections.map((row) => row.replyDestination))
  expect(mapped.size, 'external ports, each used once').toBe(1000)
  client.write('again\n')
  await client.waitFor(/held 1000 round 2$/m)
  client.end()
  expect(await client.exited, client.output).toBe(0)
  await server.stop()
})

test('two hosts use one source port at once, and each gets its own answers', async () => {
  const server = await echoServer(world, 'outside', 7778)
  const request = (netns: string): Background =>
    world.spawn(['curl', '-sSN', '--max-time', '10', '--local-port', '40000', `telnet://${OUTSIDE}:7778`], {
      netns,
    })
  const clients = ['vm1', 'vm2'].map((netns) => ({ netns, curl: request(netns) }))
  for (const { netns, curl } of clients) {
    curl.write(`I am ${netns}\n`)
    await curl.waitFor(new RegExp(`I am ${netns}`))
  }
  for (const { netns, curl } of clients) {
    expect(curl.stdout).toBe(`I am ${netns}\n`)
    await curl.stop()
  }
  await server.stop()
})
