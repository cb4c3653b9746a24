/** VLANs across two bridges and a wire of patch ports, as hosts see them: examples/vlan-bridges.json. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sniff } from '../support/sniffer.ts'
import { type Background, COMMAND, READY, ROOT, World } from '../support/world.ts'

let world: World

beforeAll(async () => {
  world = await World.create()
  await world.start(join(ROOT, 'examples/vlan-bridges.json'))
  await tagged('trunk1', 20, '10.20.0.3/24')
})
afterAll(() => world?.close())

/**
 * Gives a host an address in a VLAN that it must tag itself. Not every kernel has VLAN devices, so a switch of
 * our own does it: one inside the host, whose uplink is the host's eth0. The device of the address is vlanN.
 */
async function tagged(netns: string, vlan: number, address: string): Promise<Background> {
  const config = await world.file(`${netns}-tagged.json`, {
    bridges: {
      [`vlan${vlan}`]: {
        address,
        tag: vlan,
        ports: { up: { type: 'system', device: 'eth0', trunks: [vlan] } },
      },
    },
  })
  const inner = world.spawn([COMMAND, 'start', config, '--rundir', `/run/${netns}`], { netns })
  await inner.waitFor(READY)
  return inner
}

const ping = async (from: string, to: string, ...options: string[]) =>
  (await world.exec(['ping', '-c', '2', '-i', '0.2', '-W', '2', ...options, to], { netns: from })).code
const macOf = async (netns: string, device = 'eth0'): Promise<string> =>
  JSON.parse(await world.ok(['ip', '-n', netns, '-j', 'link', 'show', device]))[0].address

test('hosts of one VLAN reach each other across both bridges, also with full-size and large packets', async () => {
  for (const [from, to] of [
    ['red1', '10.10.0.2'],
    ['red1', '10.10.0.3'],
    ['blue1', '10.20.0.2'],
    ['blue1', '10.20.0.3'],
    ['trunk1', '10.10.0.2'],
    ['trunk1', '10.20.0.2'],
  ] as const) {
    expect(await ping(from, to), `${from} to ${to}`).toBe(0)
    expect(await ping(from, to, '-M', 'do', '-s', '1472'), `${from} to ${to}, full size`).toBe(0)
    expect(await ping(from, to, '-s', '9000'), `${from} to ${to}, fragments`).toBe(0)
  }
})

test('hosts of another VLAN are not reached, and hear nothing, not even broadcasts', async () => {
  const red2 = await sniff(world, 'red2', { options: ['-e'] })
  await world.ok(['ip', '-n', 'blue1', 'address', 'add', '10.10.0.99/24', 'dev', 'eth0'])
  const arping = ['arping', '-c', '1', '-w', '1', '-I', 'eth0', '-s', '10.10.0.99', '10.10.0.2']
  const { code, stdout } = await world.exec(arping, { netns: 'blue1' })
  expect(code, stdout).toBe(1)
  await world.ok(['ip', '-n', 'blue1', 'address', 'delete', '10.10.0.99/24', 'dev', 'eth0'])
  // Something that must be seen, so that seeing nothing else means something.
  expect(await ping('red1', '10.10.0.2')).toBe(0)
  await red2.saw(/ICMP echo request/)
  expect(await red2.stop()).not.toContain(await macOf('blue1'))
})

test('access ports have no tags; the trunk port has VLAN 10 without and VLAN 20 with one', async () => {
  const red2 = await sniff(world, 'red2', { options: ['-e'], filter: ['ether', 'broadcast'] })
  const blue2 = await sniff(world, 'blue2', { options: ['-e'], filter: ['ether', 'broadcast'] })
  const trunk1 = await sniff(world, 'trunk1', { options: ['-e'] })
  for (const [from, nobody] of [
    ['red1', '10.10.0.77'],
    ['blue1', '10.20.0.77'],
  ] as const) {
    await world.exec(['arping', '-c', '1', '-w', '1', '-I', 'eth0', nobody], { netns: from })
  }
  await Promise.all([
    red2.saw(/ethertype ARP .*who-has 10\.10\.0\.77/),
    blue2.saw(/ethertype ARP .*who-has 10\.20\.0\.77/),
    trunk1.saw(/ethertype ARP .*who-has 10\.10\.0\.77/),
    trunk1.saw(/ethertype 802\.1Q \(0x8100\), .*vlan 20, .*who-has 10\.20\.0\.77/),
  ])
  expect(await red2.stop()).not.toMatch(/802\.1Q|10\.20\.0\.77/)
  expect(await blue2.stop()).not.toMatch(/802\.1Q|10\.10\.0\.77/)
  expect(await trunk1.stop()).not.toMatch(/vlan 10/)
})

test('a tagged frame that comes in by an access port of another VLAN goes nowhere', async () => {
  const sneak = await tagged('red1', 20, '10.20.0.66/24')
  const blue2 = await sniff(world, 'blue2', { options: ['-e'] })
  await world.exec(['arping', '-c', '1', '-w', '1', '-I', 'vlan20', '10.20.0.2'], { netns: 'red1' })
  expect(await ping('blue1', '10.20.0.2')).toBe(0)
  await blue2.saw(/ICMP echo request/)
  expect(await blue2.stop()).not.toContain('10.20.0.66')
  expect(await sneak.stop()).toBe(0)
})

test('addresses are learned by VLAN, on both bridges, at patch and host ports', async () => {
  await ping('red1', '10.10.0.2')
  await ping('trunk1', '10.20.0.2')
  await ping('trunk1', '10.10.0.1')
  const fdb = JSON.parse((await world.cli(['show', 'fdb', '--json'])).stdout)
  const red1 = await macOf('red1')
  const trunk1 = await macOf('trunk1')
  const inner = await macOf('trunk1', 'vlan20')
  for (const [bridge, port, vlan, mac] of [
    ['br-a', 'red1.eth0', 10, red1],
    ['br-b', 'to-a', 10, red1],
    ['br-b', 'trunk1.eth0', 10, trunk1],
    ['br-b', 'trunk1.eth0', 20, inner],
    ['br-a', 'to-b', 10, trunk1],
  ]) {
    expect(fdb).toContainEqual(expect.objectContaining({ bridge, port, vlan, mac }))
  }
})
