/** arping, traceroute and ping as people use them to look at a network. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sniff } from '../support/sniffer.ts'
import { ROOT, World } from '../support/world.ts'

const WORLD_ADDRESS = '203.0.113.1'
let world: World

beforeAll(async () => {
  world = await World.create()
  await world.start(join(ROOT, 'examples/netns-lab.json'))
})
afterAll(() => world?.close())

const inVm1 = (...argv: string[]) => world.exec(argv, { netns: 'vm1' })
const macOf = async (netns: string): Promise<string> =>
  JSON.parse(await world.ok(['ip', '-n', netns, '-j', 'link', 'show', 'eth0']))[0].address

/** Hops of a traceroute, one list of answering addresses each. */
function hops(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^ *\d+ /.test(line))
    .map((line) => line.match(/\d+\.\d+\.\d+\.\d+|\*/g) ?? [])
    .map((addresses) => [...new Set(addresses.filter((a) => !/^\d+\.\d+$/.test(a)))])
}

test('arping: the router answers for its own addresses only, and with one MAC address', async () => {
  const [row] = JSON.parse((await world.cli(['show', 'fdb', '--json'])).stdout).filter(
    (entry: { port: string }) => entry.port === 'rt.eth0',
  )
  // From two hosts, since two at once on one host count each other's answers.
  const asked = [
    world.exec(['arping', '-c', '2', '-I', 'eth0', '10.0.0.254'], { netns: 'vm1' }),
    world.exec(['arping', '-c', '2', '-b', '-I', 'eth0', '10.0.0.254'], { netns: 'vm2' }),
  ]
  const nobodys = ['10.0.0.77', '192.168.100.11', WORLD_ADDRESS].map((address) =>
    inVm1('arping', '-c', '1', '-w', '1', '-I', 'eth0', address),
  )
  for (const { code, stdout } of await Promise.all(asked)) {
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('Received 2 response(s)')
    expect(new Set(stdout.match(/\[[0-9A-F:]{17}\]/g))).toEqual(new Set([`[${row.mac.toUpperCase()}]`]))
  }
  for (const { code, stdout } of await Promise.all(nobodys)) {
    expect(code, stdout).toBe(1)
    expect(stdout).toContain('Received 0 response(s)')
  }
})

test('arping: a host behind the bridge answers itself, and a duplicate of the router is detected', async () => {
  const { stdout } = await world.exec(['arping', '-c', '1', '-I', 'eth0', '10.0.0.1'], {
    netns: 'vm2',
  })
  expect(stdout).toContain(`[${(await macOf('vm1')).toUpperCase()}]`)
  expect((await inVm1('arping', '-D', '-c', '1', '-w', '2', '-I', 'eth0', '10.0.0.254')).code).toBe(1)
  expect((await inVm1('arping', '-D', '-c', '1', '-w', '1', '-I', 'eth0', '10.0.0.78')).code).toBe(0)
})

test('traceroute with UDP, ICMP and TCP finds the router and then the world', async () => {
  for (const mode of [[], ['-I'], ['-T', '-p', '81']]) {
    const { code, stdout } = await inVm1('traceroute', '-n', '-w', '3', ...mode, WORLD_ADDRESS)
    expect(code, stdout).toBe(0)
    expect(hops(stdout), `${mode}\n${stdout}`).toEqual([['10.0.0.254'], [WORLD_ADDRESS]])
  }
})

test('traceroute to the router itself ends at the router: UDP by port unreachable, ICMP by echo reply', async () => {
  for (const mode of [[], ['-I']]) {
    for (const address of ['10.0.0.254', '192.168.100.11']) {
      const { stdout } = await inVm1('traceroute', '-n', '-w', '3', ...mode, address)
      expect(hops(stdout), stdout).toEqual([[address]])
    }
  }
})

test('time exceeded is a real ICMP message that quotes the packet it is about', async () => {
  const sniffer = await sniff(world, 'vm1', { options: ['-v'], filter: ['icmp[icmptype] == icmp-timxceed'] })
  const { code, stdout } = await inVm1('ping', '-c', '1', '-t', '1', '-W', '3', WORLD_ADDRESS)
  expect(code).toBe(1)
  expect(stdout).toMatch(/From 10\.0\.0\.254 icmp_seq=1 Time to live exceeded/)
  await sniffer.saw(/10\.0\.0\.254 > 10\.0\.0\.1: ICMP time exceeded in-transit/)
  await sniffer.saw(/10\.0\.0\.1 > 203\.0\.113\.1: ICMP echo request/)
  expect(await sniffer.stop()).not.toMatch(/bad cksum|wrong icmp cksum/)
})

test('an address that nobody has is unreachable, and the router says so', async () => {
  const { stdout } = await inVm1('ping', '-c', '1', '-W', '5', '192.168.100.77')
  expect(stdout).toMatch(/From 10\.0\.0\.254 icmp_seq=1 Destination Host Unreachable/)
})

test('the outside sees of the inside only 192.168.100.11, whatever protocol it is', async () => {
  const sniffer = await sniff(world, 'outside', { options: ['-e'] })
  await inVm1('ping', '-c', '2', '-i', '0.2', '-s', '3000', WORLD_ADDRESS)
  await inVm1('traceroute', '-n', '-q', '1', '-w', '1', WORLD_ADDRESS)
  await inVm1('curl', '-sS', '--max-time', '2', `http://${WORLD_ADDRESS}/`)
  await world.exec(['ping', '-c', '2', '-i', '0.2', WORLD_ADDRESS], { netns: 'vm2' })
  await sniffer.saw(/192\.168\.100\.11\.\d+ > 203\.0\.113\.1\.80: Flags \[S\]/)
  await sniffer.saw(/192\.168\.100\.11 > 203\.0\.113\.1: ICMP echo request/)
  await sniffer.saw(/192\.168\.100\.11\.\d+ > 203\.0\.113\.1\.\d+: UDP/)
  const text = await sniffer.stop()
  expect(text).not.toMatch(/\b10\.0\.0\.\d/)
  for (const host of ['vm1', 'vm2']) expect(text).not.toContain(await macOf(host))
})

test('ping -f: thousands of packets as fast as they come back, none lost', async () => {
  for (const to of ['10.0.0.254', WORLD_ADDRESS]) {
    const { stdout } = await inVm1('ping', '-f', '-q', '-c', '5000', to)
    expect(stdout).toMatch(/5000 packets transmitted, 5000 received, 0% packet loss/)
  }
})
