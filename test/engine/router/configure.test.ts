import { describe, expect, test } from 'vitest'
import { type RouterSpec, TRUNK_ALL } from '../../../engine/dpif.ts'
import { bytes, DEFAULT_ROUTER, ip, Lab, ROUTER_MAC_1 } from './lab.ts'

const B = '192.168.100.1'

describe('routerPut', () => {
  test('the same spec again loses no neighbour and no packet', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9)
    lab.b.answers = false
    lab.local.commands.routerPut({ ...DEFAULT_ROUTER })
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(2)
    lab.advance(20_000)
    // Nor does it claim its addresses anew.
    expect(lab.b.takeArp().filter((a) => a.spa === 0)).toEqual([])
  })

  test('a new route holds for flows that are cached', () => {
    const lab = new Lab({ ...DEFAULT_ROUTER, routes: [] })
    lab.a.sendUdp('8.8.8.8', 9)
    expect(lab.b.takeIp()).toEqual([])
    lab.local.commands.routerPut(DEFAULT_ROUTER)
    lab.a.sendUdp('8.8.8.8', 9)
    expect(lab.b.takeIp()).toHaveLength(1)
    lab.local.commands.routerPut({ ...DEFAULT_ROUTER, routes: [] })
    lab.a.sendUdp('8.8.8.8', 9)
    expect(lab.b.takeIp()).toEqual([])
  })

  test('an interface may change its address, its subnet and its hardware address', () => {
    const lab = new Lab()
    lab.a.sendUdp(B, 9)
    lab.b.take()
    const [eth0, eth1] = DEFAULT_ROUTER.interfaces
    lab.local.commands.routerPut({
      ...DEFAULT_ROUTER,
      interfaces: [
        eth0,
        { ...eth1, mac: ROUTER_MAC_1 + 5, addresses: [{ address: ip('192.168.100.12'), prefixLength: 16 }] },
      ],
    })
    expect(lab.local.commands.neighbors('rt').some((n) => n.address === ip(B))).toBe(false)
    lab.a.sendUdp(B, 9)
    const [first] = lab.b.take().filter((s) => s.arp !== undefined)
    expect(first.arp).toMatchObject({ sha: ROUTER_MAC_1 + 5, spa: ip('192.168.100.12') })
    lab.advance(10)
    lab.a.sendUdp('192.168.7.7', 9)
    expect(lab.b.takeArp()).toMatchObject([{ tpa: ip('192.168.7.7') }])
  })

  test('an interface that goes takes its routes, neighbours and packets with it', () => {
    const lab = new Lab()
    lab.a.sendUdp('192.168.100.77', 9)
    const [eth0] = DEFAULT_ROUTER.interfaces
    lab.local.commands.routerPut({ ...DEFAULT_ROUTER, interfaces: [eth0], routes: [] })
    expect(lab.pool.available).toBe(lab.pool.cells)
    expect(lab.local.commands.routes('rt')).toHaveLength(1)
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toEqual([])
    expect(lab.drops()).toMatchObject({ 'router-no-route': 1 })
    lab.local.commands.routerPut(DEFAULT_ROUTER)
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
  })

  const [eth0, eth1] = DEFAULT_ROUTER.interfaces
  test.each<[string, Partial<RouterSpec>, string]>([
    [
      'a next hop on no subnet',
      { routes: [{ prefix: 0, prefixLength: 0, via: ip('172.16.0.1'), metric: 0 }] },
      'on no interface',
    ],
    [
      'a next hop that is ourselves',
      { routes: [{ prefix: 0, prefixLength: 0, via: ip('10.0.0.254'), metric: 0 }] },
      'the router itself',
    ],
    [
      'two interfaces of one name',
      { interfaces: [eth0, { ...eth1, name: 'eth0' }], routes: [] },
      'are named eth0',
    ],
    [
      'two interfaces of one address',
      { interfaces: [eth0, { ...eth1, addresses: eth0.addresses }], routes: [] },
      'have the address 10.0.0.254',
    ],
    ['an impossible MTU', { interfaces: [{ ...eth0, mtu: 67 }], routes: [] }, 'MTU of 67'],
  ])('%s is refused and changes nothing', (_name, change, message) => {
    const lab = new Lab()
    const before = lab.local.commands.routes('rt')
    expect(() => lab.local.commands.routerPut({ ...DEFAULT_ROUTER, ...change })).toThrow(message)
    expect(lab.local.commands.routes('rt')).toEqual(before)
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

describe('routerDelete', () => {
  test('is idempotent, gives everything back, and the router can come again', () => {
    const lab = new Lab()
    lab.a.sendUdp('192.168.100.77', 9)
    lab.local.commands.routerDelete('rt')
    lab.local.commands.routerDelete('rt')
    expect(lab.pool.available).toBe(lab.pool.cells)
    expect(() => lab.local.commands.neighbors('rt')).toThrow('no router rt')
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toEqual([])
    lab.local.commands.routerPut(DEFAULT_ROUTER)
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

describe('ports of routers', () => {
  test('the port may come before the router, go, and come again on another bridge', () => {
    const lab = new Lab()
    const { commands } = lab.local
    lab.a.sendUdp(B, 9)
    expect(lab.b.takeIp()).toHaveLength(1)
    commands.portDelete('rt-eth1')
    lab.a.sendUdp(B, 9)
    expect(lab.drops()).toEqual({ 'port-down': 1 })
    const c = lab.station('br2', 'c', 0x02_00_00_00_00_0c, B, ROUTER_MAC_1)
    const kind = { type: 'router', router: 'rt', interface: 'eth1' } as const
    commands.portPut({ name: 'rt-eth1', bridge: 'br2', vlan: TRUNK_ALL, kind })
    lab.advance(1000)
    // It claims its address on the new link.
    expect(c.takeArp().some((a) => a.spa === 0 && a.tpa === ip('192.168.100.11'))).toBe(true)
  })

  test('a router on an access port of a VLAN and one on another are strangers', () => {
    const lab = new Lab()
    const vlan = { ...TRUNK_ALL, mode: 'access', tag: 10 } as const
    const kind = { type: 'router', router: 'rt', interface: 'eth0' } as const
    lab.local.commands.portPut({ name: 'rt-eth0', bridge: 'br0', vlan, kind })
    lab.a.ping('10.0.0.254')
    expect(lab.a.takeIp()).toEqual([])
    lab.local.commands.portPut({
      name: 'a',
      bridge: 'br0',
      vlan,
      kind: { type: 'memory', key: 'a' },
    })
    lab.a.ping('10.0.0.254')
    expect(lab.a.takeIp()).toHaveLength(1)
    lab.a.sendUdp(B, 9, bytes(8))
    expect(lab.b.takeIp()).toHaveLength(1)
  })
})

test('routes and neighbours as rows', () => {
  const lab = new Lab()
  lab.a.sendUdp(B, 9)
  lab.advance(2500)
  expect(lab.local.commands.routes('rt')).toEqual([
    { router: 'rt', prefix: ip('10.0.0.0'), prefixLength: 24, via: undefined, interface: 'eth0', metric: 0 },
    {
      router: 'rt',
      prefix: ip('192.168.100.0'),
      prefixLength: 24,
      via: undefined,
      interface: 'eth1',
      metric: 0,
    },
    { router: 'rt', prefix: 0, prefixLength: 0, via: ip(B), interface: 'eth1', metric: 0 },
  ])
  expect(lab.local.commands.neighbors('rt')).toEqual([
    { router: 'rt', interface: 'eth1', address: ip(B), mac: lab.b.mac, state: 'reachable', age: 2 },
  ])
})
