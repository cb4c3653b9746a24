/**
 * Path-MTU discovery and fragments, with a link of 1300 bytes behind the NAT:
 *
 *     vm1 ── br-in ── rt1 (SNAT) ── br-mid ── rt2 ── br-far ── far
 *         1500             1500          1500      1300     1500
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { echoCommand, echoServer } from '../support/echo.ts'
import { sniff } from '../support/sniffer.ts'
import { World } from '../support/world.ts'

const FAR = '10.9.0.1'
const RT1 = '172.16.0.1'
let world: World

beforeAll(async () => {
  world = await World.create()
  await world.start({
    bridges: { 'br-in': {}, 'br-mid': {}, 'br-far': {} },
    hosts: {
      vm1: { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' } } },
      far: { interfaces: { eth0: { bridge: 'br-far', address: `${FAR}/24`, gateway: '10.9.0.254' } } },
    },
    routers: {
      rt1: {
        interfaces: {
          eth0: { bridge: 'br-in', address: '10.0.0.254/24' },
          eth1: { bridge: 'br-mid', address: `${RT1}/24` },
        },
        routes: [{ to: 'default', via: '172.16.0.2' }],
        nat: [{ type: 'snat', source: '10.0.0.0/24', to: RT1 }],
      },
      rt2: {
        interfaces: {
          eth0: { bridge: 'br-mid', address: '172.16.0.2/24', mtu: 1300 },
          eth1: { bridge: 'br-far', address: '10.9.0.254/24', mtu: 1300 },
        },
      },
    },
  })
})
afterAll(() => world?.close())
beforeEach(async () => {
  for (const host of ['vm1', 'far']) await world.ok(['ip', '-n', host, 'route', 'flush', 'cache'])
})

const ping = (from: string, ...argv: string[]) =>
  world.exec(['ping', '-c', '2', '-i', '0.2', '-W', '3', ...argv], { netns: from })
const pathMtu = async (from: string, to: string): Promise<number | undefined> => {
  const [route] = JSON.parse(await world.ok(['ip', '-n', from, '-j', 'route', 'get', to]))
  return route.metrics?.[0]?.mtu
}

test('ping -M do: fragmentation needed names the MTU, through the NAT, and the kernel believes it', async () => {
  const { code, stdout } = await ping('vm1', '-M', 'do', '-s', '1400', FAR)
  expect(code, stdout).toBe(1)
  expect(stdout).toMatch(/From 172\.16\.0\.2 icmp_seq=1 Frag needed and DF set \(mtu = 1300\)/)
  expect(await pathMtu('vm1', FAR)).toBe(1300)
  // What just fits passes, and one byte more does not.
  expect((await ping('vm1', '-M', 'do', '-s', String(1300 - 28), FAR)).code).toBe(0)
  expect((await ping('vm1', '-M', 'do', '-s', String(1300 - 27), FAR)).code).not.toBe(0)
})

test('ping -M do: the same in the other direction, for the near side of a router', async () => {
  const { code, stdout } = await ping('far', '-M', 'do', '-s', '1400', RT1)
  expect(code, stdout).toBe(1)
  expect(stdout).toMatch(/From 10\.9\.0\.254 icmp_seq=1 Frag needed and DF set \(mtu = 1300\)/)
  expect(await pathMtu('far', RT1)).toBe(1300)
})

test('the message quotes the packet as the host had sent it, although the NAT had rewritten it', async () => {
  const sniffer = await sniff(world, 'vm1', { options: ['-v'], filter: ['icmp[icmptype] == icmp-unreach'] })
  await ping('vm1', '-M', 'do', '-s', '1400', FAR)
  await sniffer.saw(/172\.16\.0\.2 > 10\.0\.0\.1: ICMP 10\.9\.0\.1 unreachable - need to frag \(mtu 1300\)/)
  await sniffer.saw(/10\.0\.0\.1 > 10\.9\.0\.1: ICMP echo request/)
  const text = await sniffer.stop()
  expect(text).not.toMatch(/bad cksum|wrong icmp cksum/)
  expect(text).not.toContain(RT1)
})

test('TCP adapts in both directions: large segments are refused, and every byte comes back', async () => {
  const server = await echoServer(world, 'far', 7777)
  const atFar = await sniff(world, 'far', { options: ['-v'], filter: ['icmp[icmptype] == icmp-unreach'] })
  const atVm1 = await sniff(world, 'vm1', { options: ['-v'], filter: ['icmp[icmptype] == icmp-unreach'] })
  await world.sh(`head -c 20M /dev/urandom > ${world.dir}/upload`)
  const client = echoCommand('pipe', FAR, 7777).join(' ')
  const echoed = await world.sh(`${client} < ${world.dir}/upload | sha256sum`, { netns: 'vm1' })
  expect(echoed).toBe(await world.sh(`sha256sum < ${world.dir}/upload`))
  await atVm1.saw(/need to frag \(mtu 1300\)/)
  await atFar.saw(/need to frag \(mtu 1300\)/)
  expect(await pathMtu('vm1', FAR)).toBe(1300)
  expect(await pathMtu('far', RT1)).toBe(1300)
  await Promise.all([atVm1.stop(), atFar.stop()])
  await server.stop()
})

test('what may be fragmented is fragmented by the router, and put together again at the ends', async () => {
  const sniffer = await sniff(world, 'far', {
    options: ['-v'],
    filter: ['icmp[icmptype] == icmp-echo', 'or', 'ip[6:2] & 0x3fff != 0'],
  })
  const { code, stdout } = await ping('vm1', '-M', 'dont', '-s', '1472', FAR)
  expect(code, stdout).toBe(0)
  await sniffer.saw(/flags \[\+\]/)
  for (const [, length] of (await sniffer.stop()).matchAll(/length (\d+)\)/g)) {
    expect(Number(length)).toBeLessThanOrEqual(1300)
  }
})

test('large pings cross router, NAT and the narrow link, and the routers themselves answer them', async () => {
  for (const size of ['4000', '20000', '65507']) {
    for (const to of [FAR, '10.0.0.254', RT1, '172.16.0.2']) {
      const { code, stdout } = await ping('vm1', '-M', 'dont', '-s', size, to)
      expect(code, `${size} to ${to}\n${stdout}`).toBe(0)
    }
  }
})

test('UDP datagrams of every size cross with their contents, once the first has found out the path MTU', async () => {
  const server = await echoServer(world, 'far', 7779)
  for (const [length, lost] of [
    // Sent whole with DF, one is refused in each direction.
    [1400, 2],
    // From then on the ends themselves make fragments that fit.
    [1400, 0],
    [5000, 0],
    [65507, 0],
  ]) {
    const { code, stdout, stderr } = await world.exec(echoCommand('datagrams', FAR, 7779, 100, length!), {
      netns: 'vm1',
    })
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(`all 100 came back, ${lost} sent again`)
  }
  await server.stop()
})
