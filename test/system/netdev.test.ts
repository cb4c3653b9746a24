/** Real TAPs and packet sockets between namespaces of a private world, joined by the smallest forwarder. */
import { readlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  type PacketPool,
  VNET_NEEDS_CSUM,
} from '../../engine/memory/packet-pool.ts'
import type { Gro } from '../../engine/netdev/coalescer.ts'
import {
  type Netdev,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  RX_DROPPED,
  RX_ERRORS,
  TX_DROPPED,
  TX_ERRORS,
  TX_PACKETS,
} from '../../engine/netdev/netdev.ts'
import { sendFinished } from '../../engine/netdev/offload.ts'
import { PacketNetdev } from '../../engine/netdev/packet.ts'
import { TapNetdev } from '../../engine/netdev/tap.ts'
import { TapBatch } from '../../engine/netdev/tap-batch.ts'
import { takeOffload } from '../../engine/netdev/vnet-header.ts'
import { linkIndex, linkMac, linkMtu, setLinkUp } from '../../engine/sys/link.ts'
import { inNamespace } from '../../engine/sys/netns.ts'
import { build, type Parts, segments } from '../reference/segmentation.ts'
import { nativePool, TwoPortForwarder } from '../support/two-port-forwarder.ts'
import { World } from '../support/world.ts'

let world: World
let pool: PacketPool
let batch: TapBatch
let devices: Netdev[]
let forwarder: TwoPortForwarder | undefined

beforeEach(async () => {
  world = await World.create()
  pool = nativePool()
  batch = new TapBatch(pool)
  devices = []
  forwarder = undefined
  await world.sh('ip netns add a; ip netns add b')
})
afterEach(async () => {
  // Senders end with the world's processes before the devices they send to.
  await world.sh('for n in a b; do ip netns pids $n 2>/dev/null | xargs -r kill; done')
  await forwarder?.stop()
  for (const device of devices) device.close()
  await world.close()
})

/** Path of the world's own network namespace as the test sees it. */
const home = () => world.path('/proc/1/ns/net')
const own = () => readlinkSync('/proc/thread-self/ns/net')

interface TapKind {
  readonly gro?: Gro | undefined
  /** Whether a burst is one system call. */
  readonly batched?: boolean
}

/** A TAP that is eth0 of a namespace. */
async function tap(host: string, address: string, kind: TapKind = {}): Promise<TapNetdev> {
  const name = `tap-${host}`
  const { gro, batched = true } = kind
  const options = { name, mtu: 1500, mac: 0x02_00_00_00_00_09, gro, batch: batched ? batch : undefined }
  const device = inNamespace(home(), () => new TapNetdev(pool, options))
  devices.push(device)
  await world.sh(`ip link set ${name} netns ${host} name eth0`)
  await up(host, address)
  return device
}

/** A veth pair of which the inner end is eth0 of a namespace and the outer end ours. */
async function veth(host: string, address: string, vnet = true): Promise<PacketNetdev> {
  const name = `veth-${host}`
  await world.sh(`ip link add ${name} type veth peer name eth0 netns ${host}; ip link set ${name} up`)
  await up(host, address)
  const device = new PacketNetdev(pool, { name, device: name, namespace: home(), vnet })
  devices.push(device)
  return device
}

/** What a host itself would see of its eth0. */
function packetSocketOf(host: string): PacketNetdev {
  const namespace = world.path(`/run/netns/${host}`)
  const device = new PacketNetdev(pool, { name: 'host', device: 'eth0', namespace })
  devices.unshift(device)
  return device
}

async function up(host: string, address: string): Promise<void> {
  await world.sh(`ip link set lo up; ip addr add ${address}/24 dev eth0; ip link set eth0 up`, {
    netns: host,
  })
}

/** Bytes that iperf3 carried from a to b in a second of TCP. */
async function tcp(to: string): Promise<number> {
  const server = world.spawn(['iperf3', '-s', '-1', '--forceflush'], { netns: 'b' })
  await server.waitFor(/listening/)
  const report = await world.ok(['iperf3', '-c', to, '-t', '1', '--json'], { netns: 'a' })
  await server.exited
  return JSON.parse(report).end.sum_received.bytes
}

function expectNoTrouble(): void {
  for (const device of devices) {
    const trouble = [RX_ERRORS, RX_DROPPED, TX_ERRORS, TX_DROPPED].map((i) => device.stats[i])
    expect([device.name, ...trouble]).toEqual([device.name, 0, 0, 0, 0])
  }
  expect(pool.available).toBe(pool.cells)
}

const MEBIBYTE = 1024 * 1024
const BATCHED = [true, false]

/** Prints the first datagrams that come to a port, as hexadecimal digits: python3 -c DATAGRAMS PORT COUNT */
const DATAGRAMS = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', int(sys.argv[1])))
print('ready', flush=True)
for _ in range(int(sys.argv[2])): print(s.recv(2000).hex(), flush=True)
`

describe('small frames that leave for a TAP together', () => {
  const framesOf = async (host: string) =>
    JSON.parse(await world.ok(['ip', '-n', host, '-s', '-j', 'link', 'show', 'eth0']))[0].stats64.rx.packets

  test.each([
    ['all', true, 2],
    ['none', true, 50],
    [undefined, true, 50],
    [undefined, false, 2],
  ] as const)(
    'datagrams are received one by one as they were sent (gro: %s, batched: %s)',
    async (gro, batched, large) => {
      const b = await tap('b', '10.0.0.2', { gro, batched })
      await world.sh('ip link set eth0 address 02:00:00:00:00:02', { netns: 'b' })
      const payload = Uint8Array.from({ length: 50 * 37 - 5 }, (_, i) => i)
      const parts: Parts = {
        ...{ tags: [], version: 4, protocol: 'udp', ipOptions: 0, tcpOptions: 0, id: 7, seq: 0, flags: 0 },
        ...{ addresses: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2), ports: [4000, 5000], payload },
      }
      const receiver = world.spawn(['python3', '-c', DATAGRAMS, '5000', '50'], { netns: 'b' })
      await receiver.waitFor(/ready/)
      const before = await framesOf('b')
      for (const frame of segments(parts, 37)) {
        const h = pool.fromBytes(frame)
        sendFinished(pool, b, h)
        pool.free(h)
      }
      b.flush()
      await receiver.exited
      const sent = Array.from({ length: 50 }, (_, i) => payload.slice(i * 37, (i + 1) * 37))
      expect(receiver.stdout.trim().split('\n').slice(1)).toEqual(
        sent.map((part) => Buffer.from(part).toString('hex')),
      )
      expect((await framesOf('b')) - before).toBe(large)
      expectNoTrouble()
    },
  )

  test('a file comes whole by TCP that its sender has cut up', async () => {
    const a = await veth('a', '10.0.0.1')
    await world.sh('ip link set eth0 gso_max_segs 1', { netns: 'a' })
    const b = await tap('b', '10.0.0.2')
    forwarder = new TwoPortForwarder(pool, a, b)
    await world.sh('head -c 8000000 /dev/urandom > /run/file')
    const server = world.spawn(['sh', '-c', 'busybox nc -l -p 5000 > /run/copy'], { netns: 'b' })
    await world.ok(['sh', '-c', 'sleep 0.3; busybox nc 10.0.0.2 5000 < /run/file'], { netns: 'a' })
    await server.exited
    await world.ok(['cmp', '/run/file', '/run/copy'])
    expect(forwarder.longest).toBeLessThanOrEqual(1514)
    expect(await framesOf('b')).toBeLessThan(b.stats[TX_PACKETS]! * 0.8)
    await forwarder.stop()
    expectNoTrouble()
  })
})

describe('TCP', () => {
  test.each(BATCHED)('crosses two TAPs in segments of many times the MTU (batched: %s)', async (batched) => {
    const a = await tap('a', '10.0.0.1', { batched })
    const b = await tap('b', '10.0.0.2', { batched })
    expect(a.offloads & (OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6)).toBe(7)
    forwarder = new TwoPortForwarder(pool, a, b)
    expect(await tcp('10.0.0.2')).toBeGreaterThan(20 * MEBIBYTE)
    expect(forwarder.longest).toBeGreaterThan(10_000)
    await forwarder.stop()
    expect([a.state, b.state]).toEqual(['up', 'up'])
    expect(pool.available).toBe(pool.cells)
  })

  test('crosses packet sockets on veth as it comes, whole segments and all', async () => {
    forwarder = new TwoPortForwarder(pool, await veth('a', '10.0.0.1'), await veth('b', '10.0.0.2'))
    expect(await tcp('10.0.0.2')).toBeGreaterThan(20 * MEBIBYTE)
    expect(forwarder.longest).toBeGreaterThan(10_000)
  })

  test('crosses from a TAP to a packet socket and back', async () => {
    forwarder = new TwoPortForwarder(pool, await tap('a', '10.0.0.1'), await veth('b', '10.0.0.2'))
    expect(await tcp('10.0.0.2')).toBeGreaterThan(20 * MEBIBYTE)
  })

  test('crosses packet sockets without virtio-net headers: checksums and segments made in software', async () => {
    const a = await veth('a', '10.0.0.1', false)
    const b = await veth('b', '10.0.0.2', false)
    expect([a.offloads, b.offloads]).toEqual([0, 0])
    forwarder = new TwoPortForwarder(pool, a, b)
    expect(await tcp('10.0.0.2')).toBeGreaterThan(MEBIBYTE)
    expect(forwarder.longest).toBeGreaterThan(10_000)
  })
})

test('pings of every size pass unharmed', async () => {
  forwarder = new TwoPortForwarder(pool, await tap('a', '10.0.0.1'), await veth('b', '10.0.0.2'))
  for (const size of [0, 1, 200, 201, 1000, 1472]) {
    const ping = ['ping', '-c', '2', '-i', '0.01', '-W', '5', '-s', `${size}`, '10.0.0.2']
    expect(await world.ok(ping, { netns: 'a' })).toContain(' 0% packet loss')
  }
  await forwarder.stop()
  expectNoTrouble()
})

/** Frames of our own that `to` receives within a second, until there are `count`. */
async function received(to: Netdev, count: number): Promise<number[]> {
  const out = new Uint32Array(32)
  const handles: number[] = []
  for (let tries = 0; handles.length < count && tries < 1000; tries++) {
    const n = to.rx(out, 32)
    for (const h of out.subarray(0, n)) {
      // The reference's frames go to 02:00:00:00:00:02; the rest is what hosts announce.
      if (pool.u8[pool.off[h]] === 2 && pool.u8[pool.off[h] + 5] === 2) handles.push(h)
      else pool.free(h)
    }
    if (n === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return handles
}

describe.each(['tap', 'veth'] as const)('frames sent to a %s by its host arrive with', (kind) => {
  const base: Parts = {
    tags: [],
    version: 4,
    protocol: 'tcp',
    ipOptions: 0,
    tcpOptions: 12,
    id: 1,
    seq: 1,
    flags: 0x18,
    addresses: Uint8Array.from({ length: 32 }, (_, i) => 10 + i),
    ports: [1, 2],
    payload: Uint8Array.from({ length: 1000 }, (_, i) => i),
  }
  const tagged: [string, Parts['tags']][] = [
    ['no tag', []],
    ['an 802.1Q tag', [[0x8100, 0xe007]]],
    ['an 802.1ad tag', [[0x88a8, 5]]],
    [
      'two tags',
      [
        [0x88a8, 5],
        [0x8100, 7],
      ],
    ],
  ]

  test.each(tagged)('%s, and what is undone still undone', async (_, tags) => {
    const device = await (kind === 'tap' ? tap('a', '10.0.0.1') : veth('a', '10.0.0.1'))
    const host = packetSocketOf('a')
    for (const version of [4, 6] as const) {
      const small: Parts = { ...base, tags, version }
      const large: Parts = { ...small, payload: new Uint8Array(20_000).fill(9) }
      for (const p of [small, large]) {
        const { frame, l4 } = build(p, 'partial')
        const h = pool.fromBytes(frame)
        const type = p === small ? GSO_NONE : version === 4 ? GSO_TCPV4 : GSO_TCPV6
        expect(takeOffload(pool, h, VNET_NEEDS_CSUM, type, 1400, l4, 16)).toBe(true)
        host.tx(h)
        host.flush()
        pool.free(h)
        const handles = await received(device, 1)
        expect(handles.length).toBe(1)
        const g = handles[0]
        expect([pool.vnetFlags[g], pool.csumStart[g], pool.csumOffset[g]]).toEqual([VNET_NEEDS_CSUM, l4, 16])
        expect(pool.gsoType[g]).toBe(type)
        expect(Buffer.compare(pool.bytes(g), frame)).toBe(0)
        pool.free(g)
      }
    }
    expectNoTrouble()
  })
})

describe('a TAP', () => {
  test('has the name, address and MTU asked for, refuses a name in use, and goes when it is closed', async () => {
    const before = own()
    const options = { name: 'tap0', mtu: 1400, mac: 0x02_12_34_56_78_9a }
    inNamespace(home(), () => {
      const device = new TapNetdev(pool, options)
      expect([linkMtu('tap0'), linkMac('tap0')]).toEqual([1400, options.mac])
      expect(() => new TapNetdev(pool, options)).toThrow(/EBUSY/)
      expect(() => new TapNetdev(pool, { ...options, name: 'a-name-that-is-too-long' })).toThrow(RangeError)
      device.close()
      device.close()
      expect(() => linkIndex('tap0')).toThrow(/ENODEV/)
    })
    expect(own()).toBe(before)
  })

  test.each(BATCHED)('tells whether it is up, from another namespace (batched: %s)', async (batched) => {
    const device = await tap('a', '10.0.0.1', { batched })
    device.refresh()
    expect(device.state).toBe('up')
    await world.sh('ip link set eth0 mtu 1300 down', { netns: 'a' })
    const h = pool.fromBytes(new Uint8Array(60))
    device.tx(h)
    device.flush()
    expect([device.state, device.stats[TX_DROPPED]]).toEqual(['down', 1])
    await world.sh('ip link set eth0 up', { netns: 'a' })
    device.refresh()
    expect([device.state, device.mtu]).toEqual(['up', 1300])
    device.tx(h)
    device.flush()
    expect(device.stats[TX_DROPPED]).toBe(1)
    pool.free(h)
  })

  test.each(BATCHED)(
    'whose namespace is deleted is gone, and a loop that polls it does not spin (batched: %s)',
    async (batched) => {
      const a = await tap('a', '10.0.0.1', { batched })
      const b = await tap('b', '10.0.0.2', { batched })
      forwarder = new TwoPortForwarder(pool, a, b)
      await world.sh('ip netns del a')
      await expect.poll(() => a.state, { timeout: 10_000 }).toBe('gone')
      const before = forwarder.idleWakeups
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(forwarder.idleWakeups - before).toBeLessThan(20)
      const h = pool.fromBytes(new Uint8Array(60))
      a.tx(h)
      expect(a.stats[TX_DROPPED]).toBeGreaterThan(0)
      expect(b.state).not.toBe('gone')
      pool.free(h)
    },
  )

  test.each(BATCHED)(
    'drops what comes while there is no cell, and goes on afterwards (batched: %s)',
    async (batched) => {
      const device = await tap('a', '10.0.0.1', { batched })
      const out = new Uint32Array(32)
      while (device.rx(out, 1) === 1) pool.free(out[0]!)
      const held = Array.from({ length: pool.cells }, () => pool.alloc())
      const ping = ['ping', '-c', '3', '-i', '0.01', '-W', '1', '10.0.0.9']
      expect((await world.exec(ping, { netns: 'a' })).code).toBe(1)
      expect(device.rx(out, 32)).toBe(0)
      expect(device.stats[RX_DROPPED]).toBeGreaterThan(0)
      for (const h of held) pool.free(h)
      expect((await world.exec(ping, { netns: 'a' })).code).toBe(1)
      expect(device.rx(out, 32)).toBeGreaterThan(0)
    },
  )
})

test('frames of all lengths, wherever they lie in their cells, leave in order and as they are', async () => {
  const device = await tap('a', '10.0.0.1', { gro: 'none' })
  const host = packetSocketOf('a')
  await world.sh('ip link set eth0 mtu 9000', { netns: 'a' })
  const frames = Array.from({ length: 100 }, (_, i) => {
    const frame = Uint8Array.from({ length: 60 + ((i * 97) % 3000) }, (_, k) => i + k)
    frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5])
    return frame
  })
  const sent = frames.map((frame, i) => {
    const h = pool.alloc()
    pool.off[h] += i % 5
    pool.len[h] = frame.length
    pool.u8.set(frame, pool.off[h])
    device.tx(h)
    pool.u8.fill(0, pool.off[h], pool.off[h] + frame.length)
    pool.free(h)
    return Buffer.from(frame).toString('hex')
  })
  device.flush()
  const handles = await received(host, frames.length)
  expect(handles.map((h) => Buffer.from(pool.bytes(h)).toString('hex'))).toEqual(sent)
  expect(device.stats[TX_PACKETS]).toBe(frames.length)
})

test.each(BATCHED)(
  'a burst ends also while there is no cell for what comes (batched: %s)',
  async (batched) => {
    const device = await tap('a', '10.0.0.1', { batched })
    const host = packetSocketOf('a')
    const out = new Uint32Array(32)
    while (device.rx(out, 1) === 1) pool.free(out[0]!)
    const h = pool.fromBytes(new Uint8Array(60).fill(2))
    for (let i = 0; i < 200; i++) host.tx(h)
    host.flush()
    const held = Array.from({ length: pool.cells - 1 }, () => pool.alloc())
    expect(device.rx(out, 32)).toBe(0)
    expect(device.stats[RX_DROPPED]).toBe(32)
    for (const cell of [h, ...held]) pool.free(cell)
    expect(device.rx(out, 32)).toBe(32)
    for (const cell of out) pool.free(cell)
  },
)

test.each(BATCHED)('the end of a burst looks for the next (batched: %s)', async (batched) => {
  // It says nothing but what it is told to: IPv6 speaks by itself, and ARP asks again, at times of their own.
  await world.sh('sysctl -qw net.ipv6.conf.default.disable_ipv6=1', { netns: 'a' })
  const device = await tap('a', '10.0.0.1', { batched })
  await world.sh('ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:08 dev eth0', { netns: 'a' })
  const out = new Uint32Array(32)
  const drain = () => {
    for (const h of out.subarray(0, device.rx(out, 32))) pool.free(h)
  }
  const ask = () => world.exec(['ping', '-c', '1', '-W', '0.01', '10.0.0.9'], { netns: 'a' })
  drain()
  device.prepare(true)
  device.flush()
  expect(device.waiting).toBe(0)
  await ask()
  device.prepare(false)
  device.flush()
  expect(device.waiting).toBe(0)
  device.prepare(true)
  device.flush()
  expect(device.waiting).toBeGreaterThan(0)
  drain()
  expect(device.waiting).toBe(0)
  await ask()
  device.prepare(true)
  device.close()
  expect(device.waiting).toBe(0)
  expectNoTrouble()
})

describe('a packet socket', () => {
  test('needs an Ethernet interface', async () => {
    await world.sh('ip tuntap add tun0 mode tun')
    expect(() => new PacketNetdev(pool, { name: 'x', device: 'tun0', namespace: home() })).toThrow(
      /not an Ethernet/,
    )
    expect(() => new PacketNetdev(pool, { name: 'x', device: 'nothing0', namespace: home() })).toThrow(
      /ENODEV/,
    )
    expect(() => new PacketNetdev(pool, { name: 'x', device: 'lo', namespace: '/run/netns/none' })).toThrow(
      /ENOENT/,
    )
  })

  test('goes down and up with its interface, and sends nothing stale afterwards', async () => {
    const device = await veth('a', '10.0.0.1')
    expect(device.state).toBe('up')
    inNamespace(home(), () => setLinkUp('veth-a', false))
    const h = pool.fromBytes(Uint8Array.from({ length: 60 }, () => 255))
    for (let i = 0; i < 5; i++) device.tx(h)
    device.flush()
    expect([device.state, device.stats[TX_DROPPED]]).toEqual(['down', 5])
    inNamespace(home(), () => setLinkUp('veth-a', true))
    device.refresh()
    expect(device.state).toBe('up')
    const received = 'cat /sys/class/net/eth0/statistics/rx_packets'
    const before = Number(await world.sh(received, { netns: 'a' }))
    device.tx(h)
    device.flush()
    const after = Number(await world.sh(received, { netns: 'a' }))
    // Ours, and whatever IPv6 announces on the occasion.
    expect(after - before).toBeGreaterThanOrEqual(1)
    expect(after - before).toBeLessThan(5)
    pool.free(h)
  })

  test.each([
    ['its interface', 'ip link del veth-a'],
    ['its interface’s namespace', 'ip link set veth-a netns b; ip netns del b'],
  ])('is gone with %s, and a loop that polls it does not spin', async (_, command) => {
    const a = await veth('a', '10.0.0.1')
    const b = await tap('b', '10.0.0.2')
    forwarder = new TwoPortForwarder(pool, a, b)
    await world.sh(command)
    await expect.poll(() => a.state, { timeout: 10_000 }).toBe('gone')
    const before = forwarder.idleWakeups
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(forwarder.idleWakeups - before).toBeLessThan(20)
    const h = pool.fromBytes(new Uint8Array(60))
    a.tx(h)
    a.flush()
    expect(a.stats[TX_DROPPED]).toBeGreaterThan(0)
    pool.free(h)
  })
})
