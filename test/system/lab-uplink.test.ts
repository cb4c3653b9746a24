import { afterEach, beforeEach, expect, test } from 'vitest'
import { World } from '../support/world.ts'

/**
 * The machine's card is one end of a veth pair, the other end is a namespace `net` that is its network and
 * has the rest of the world behind it.
 */
let world: World
beforeEach(async () => {
  world = await World.create()
  await world.sh(`
    ip netns add net
    ip link add eno1 type veth peer name far netns net
    ip -n net address add 192.168.100.1/24 dev far
    ip -n net address add 203.0.113.1/32 dev lo
    ip -n net link set lo up; ip -n net link set far up
    ip address add 192.168.100.21/24 broadcast 192.168.100.255 dev eno1
    ip address add 192.168.100.22/24 broadcast 192.168.100.255 dev eno1
    ip address add 2001:db8::21/64 dev eno1 nodad
    ip link set eno1 up
    ip route add 203.0.113.0/24 via 192.168.100.1 dev eno1
    ip route add default via 192.168.100.1 dev eno1 metric 100`)
})
afterEach(() => world?.close())

const UPLINK = {
  bridges: {
    'br-in': {},
    'br-ex': { ports: { uplink: { type: 'system', device: 'eno1', moveAddress: true } } },
  },
  hosts: {
    vm1: { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' } } },
  },
  routers: {
    rt: {
      interfaces: {
        eth0: { bridge: 'br-in', address: '10.0.0.254/24' },
        eth1: { bridge: 'br-ex', address: '192.168.100.11/24' },
      },
      routes: [{ to: 'default', via: '192.168.100.1' }],
      nat: [{ type: 'snat', source: '10.0.0.0/24', to: '192.168.100.11' }],
    },
  },
}

const state = () =>
  world.sh(
    'ip -4 -br address show eno1; ip -6 address show dev eno1 scope global; ip route; ip -6 route show dev eno1 scope global; cat /proc/sys/net/ipv4/conf/eno1/arp_ignore',
  )
const reaches = async (to: string, netns?: string) =>
  (await world.exec(['ping', '-c2', '-i0.2', '-W2', to], netns === undefined ? {} : { netns })).code === 0

test('the addresses and routes of the card move to the bridge, and come back at stop', async () => {
  const before = await state()
  const daemon = await world.start(UPLINK)
  const onBridge = await world.sh('ip -br address show br-ex; ip route')
  expect(onBridge).toMatch(/192\.168\.100\.21\/24.*192\.168\.100\.22\/24.*2001:db8::21\/64/)
  expect(onBridge).toMatch(/^default via 192\.168\.100\.1 dev br-ex metric 100/m)
  expect(onBridge).toMatch(/^203\.0\.113\.0\/24 via 192\.168\.100\.1 dev br-ex/m)
  expect(await world.ok(['ip', '-4', '-br', 'address', 'show', 'eno1'])).not.toContain('192.168')
  expect(await reaches('192.168.100.1')).toBe(true)
  expect(await reaches('203.0.113.1')).toBe(true)
  expect(await reaches('203.0.113.1', 'vm1')).toBe(true)
  expect(await reaches('192.168.100.22', 'net')).toBe(true)
  expect(await daemon.stop()).toBe(0)
  expect(await state()).toBe(before)
  expect(await reaches('203.0.113.1')).toBe(true)
})

test('the network knows the moved address by one MAC address only', async () => {
  await world.start(UPLINK)
  const mac = JSON.parse(await world.ok(['ip', '-j', 'link', 'show', 'br-ex']))[0].address
  const { stdout } = await world.exec(['arping', '-c', '3', '-w', '3', '-I', 'far', '192.168.100.21'], {
    netns: 'net',
  })
  const answers = [...stdout.matchAll(/([0-9a-f]{2}(?::[0-9a-f]{2}){5})/gi)].map((match) =>
    match[1]!.toLowerCase(),
  )
  expect(new Set(answers)).toEqual(new Set([mac]))
})

test('after a kill -9 stop gives the card its addresses back', async () => {
  const before = await state()
  const daemon = await world.start(UPLINK)
  await daemon.stop('SIGKILL')
  expect(await reaches('192.168.100.1')).toBe(false)
  const { code, stdout } = await world.cli(['stop'])
  expect(code).toBe(0)
  expect(stdout).toContain('addresses of eno1')
  expect(await state()).toBe(before)
  expect(await reaches('203.0.113.1')).toBe(true)
})

test('only the address that the bridge is given moves when moveAddress is not set', async () => {
  const before = await state()
  const daemon = await world.start({
    bridges: {
      'br-ex': { address: '192.168.100.22/24', ports: { uplink: { type: 'system', device: 'eno1' } } },
    },
  })
  expect(await world.ok(['ip', '-4', '-br', 'address', 'show', 'br-ex'])).toContain('192.168.100.22/24')
  const onCard = await world.ok(['ip', '-4', '-br', 'address', 'show', 'eno1'])
  expect(onCard).toContain('192.168.100.21/24')
  expect(onCard).not.toContain('192.168.100.22')
  expect(await daemon.stop()).toBe(0)
  expect(await state()).toBe(before)
})

test('a card that was down is up while it is a port, and down again afterwards', async () => {
  await world.sh('ip link add spare type veth peer name spare-far; ip link set spare-far up')
  const daemon = await world.start({
    bridges: { br0: { ports: { p: { type: 'system', device: 'spare' } } } },
  })
  expect(await world.ok(['ip', '-br', 'link', 'show', 'spare'])).toMatch(/[<,]UP[,>]/)
  await daemon.stop()
  expect(await world.ok(['ip', '-br', 'link', 'show', 'spare'])).not.toMatch(/[<,]UP[,>]/)
})

test('a card that vanishes is reported, its port goes down, and it is taken back when it returns', async () => {
  const plugIn = () =>
    world.sh(`ip link add wan0 type veth peer name wan0-far address 02:00:00:00:00:99 netns net
      ip -n net address add 10.5.0.9/24 dev wan0-far
      ip -n net link set wan0-far up`)
  const link = async () => {
    const status = JSON.parse((await world.cli(['status', '--json'])).stdout)
    return status.ports.find((port: { name: string }) => port.name === 'up').link
  }
  await plugIn()
  const daemon = await world.start({
    bridges: { br0: { ports: { up: { type: 'system', device: 'wan0' } } } },
    hosts: { a: { interfaces: { eth0: { bridge: 'br0', address: '10.5.0.1/24' } } } },
  })
  expect(await reaches('10.5.0.9', 'a')).toBe(true)
  await world.sh('ip link delete wan0')
  await daemon.waitFor(/interface wan0 has vanished; port up on br0 is down/)
  expect(await link()).toBe('gone')
  await plugIn()
  await daemon.waitFor(/interface wan0 has returned/)
  expect(await reaches('10.5.0.9', 'a')).toBe(true)
  expect(await link()).toBe('up')
  expect(await daemon.stop()).toBe(0)
})
