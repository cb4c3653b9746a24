import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { type Background, World } from '../support/world.ts'

interface Lab {
  bridges: Record<string, object>
  hosts: Record<string, { interfaces: Record<string, object>; routes?: object[] }>
  routers: Record<string, { interfaces: Record<string, object>; routes?: object[]; nat?: object[] }>
}

const lab = (): Lab => ({
  bridges: { 'br-in': {}, 'br-ex': {} },
  hosts: {
    vm1: { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' } } },
    vm2: { interfaces: { eth0: { bridge: 'br-in', address: 'dhcp' } } },
    outside: { interfaces: { eth0: { bridge: 'br-ex', address: '192.168.100.1/24' } } },
  },
  routers: {
    rt: {
      interfaces: {
        eth0: { bridge: 'br-in', address: '10.0.0.254/24', dhcp: { range: ['10.0.0.151', '10.0.0.160'] } },
        eth1: { bridge: 'br-ex', address: '192.168.100.11/24' },
      },
      nat: [{ type: 'snat', source: '10.0.0.0/24', to: '192.168.100.11' }],
    },
  },
})

// One daemon for all tests that leave it running: each begins with the lab as it is above.
let world: World
let daemon: Background | undefined
let path: string
beforeEach(async () => {
  if (daemon?.running) return reset(daemon)
  await world?.close()
  world = await World.create()
  path = await world.file('lab.json', lab())
  daemon = await world.start(path)
})
afterEach(({ task }) => {
  // Who fails leaves nothing to go on from.
  if (task.result?.state === 'fail') daemon = undefined
})
afterAll(() => world?.close())

/** Takes away what tests have added, in the lab and beside it. */
async function reset(running: Background): Promise<void> {
  await world.sh('ip netns delete vm9 2>/dev/null || true; rm -rf /etc/netns/vm8')
  await writeFile(path, JSON.stringify(lab()))
  await reloadedBy(running, () => running.signal('SIGHUP'))
}

/** What the daemon prints while it reloads. */
async function reloadedBy(running: Background, action: () => unknown): Promise<string> {
  const before = running.stdout.length
  const printed = () => running.stdout.slice(before)
  await action()
  await until(() => /^(reloaded|nothing has changed)$/m.test(printed()), 'the daemon has reloaded')
  return printed()
}

/** Writes what `change` makes of the lab, reloads, and gives the lines printed. */
async function reload(change: (lab: Lab) => void): Promise<string[]> {
  const wanted = JSON.parse(await readFile(path, 'utf8')) as Lab
  change(wanted)
  await writeFile(path, JSON.stringify(wanted))
  const { code, stdout, stderr } = await world.cli(['reload'])
  expect(code, stderr).toBe(0)
  return stdout.trim().split('\n')
}

const addresses = (host: string) =>
  world.ok(['ip', '-n', host, '-br', '-4', 'address', 'show', 'dev', 'eth0'])
/** The state of a host's lease; undefined for none. */
async function leaseOf(hostname: string): Promise<string | undefined> {
  const { stdout } = await world.cli(['show', 'leases', '--json'])
  const leases: { hostname: string; state: string }[] = JSON.parse(stdout)
  return leases.find((lease) => lease.hostname === hostname)?.state
}
const link = async (host: string) =>
  JSON.parse(await world.ok(['ip', '-n', host, '-j', 'link', 'show', 'eth0']))[0]

/** Runs `action` while vm1 pings the outside through the NAT, and gives how many went out and came back. */
async function whilePinging(action: () => Promise<unknown>): Promise<{ sent: number; received: number }> {
  const pinger = world.spawn(['ping', '-i', '0.02', '192.168.100.1'], { netns: 'vm1' })
  await pinger.waitFor(/icmp_seq=10 /)
  await action()
  const seen = [...pinger.stdout.matchAll(/icmp_seq=(\d+) /g)].length
  await pinger.waitFor(new RegExp(`icmp_seq=${seen + 10} `))
  await pinger.stop('SIGINT')
  const match = /(\d+) packets transmitted, (\d+) received/.exec(pinger.stdout)
  return { sent: Number(match?.[1]), received: Number(match?.[2]) }
}

const ECHO_SERVER = `require('net').createServer((s) => s.pipe(s)).listen(7000, () => console.log('listening'))`
const TALKER = `
const s = require('net').connect(7000, '192.168.100.1', () => console.log('connected'))
s.on('data', (data) => console.log('back: ' + data))
process.stdin.pipe(s)`

test('without a change nothing is done', async () => {
  expect(await reload(() => {})).toEqual(['nothing has changed'])
})

test('a reload that changes others loses no packet, no lease, no connection', async () => {
  const server = world.spawn(['node', '-e', ECHO_SERVER], { netns: 'outside' })
  await server.waitFor(/listening/)
  const talker = world.spawn(['node', '-e', TALKER], { netns: 'vm1' })
  await talker.waitFor(/connected/)
  const lease = await addresses('vm2')
  const index = (await link('vm1')).ifindex
  const { sent, received } = await whilePinging(async () => {
    const steps = await reload((l) => {
      l.hosts['vm3'] = { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.3/24', tag: 0 } } }
      Object.assign(l.routers['rt']!.interfaces['eth0']!, {
        dhcp: { range: ['10.0.0.151', '10.0.0.160'], options: { 'domain-name-servers': ['10.0.0.254'] } },
      })
      l.bridges['br-new'] = { ports: { p9: {} } }
    })
    expect(steps).toEqual([
      'bridge br-new',
      'host vm3',
      'interface p9 on br-new',
      'vm3 eth0 on br-in',
      'address 10.0.0.3/24 of vm3 eth0',
      'change DHCP server on rt eth0',
      'reloaded',
    ])
  })
  expect(received).toBe(sent)
  expect(await addresses('vm2')).toBe(lease)
  expect((await link('vm1')).ifindex).toBe(index)
  talker.write('still there?')
  await talker.waitFor(/back: still there\?/)
  expect(await leaseOf('vm2')).toBe('bound')
  expect((await world.exec(['ping', '-c1', '-W2', '10.0.0.3'], { netns: 'vm1' })).code).toBe(0)
})

test('a DHCP host gets name servers and routes with its lease, and loses them with it', async () => {
  await reload((l) => {
    Object.assign(l.routers['rt']!.interfaces['eth0']!, {
      dhcp: {
        range: ['10.0.0.151', '10.0.0.160'],
        options: { router: '10.0.0.254', 'domain-name-servers': ['10.0.0.253'] },
      },
    })
    l.hosts['vm5'] = {
      interfaces: { eth0: { bridge: 'br-in', address: 'dhcp' } },
      routes: [{ to: '172.16.0.0/16', via: '10.0.0.1' }],
    }
  })
  const resolver = () => world.exec(['cat', '/etc/netns/vm5/resolv.conf'])
  await expect
    .poll(async () => (await resolver()).stdout, { timeout: 20_000 })
    .toContain('nameserver 10.0.0.253')
  expect(await world.ok(['cat', '/etc/resolv.conf'], { netns: 'vm5' })).toContain('nameserver 10.0.0.253')
  const routes = await world.ok(['ip', '-n', 'vm5', 'route'])
  expect(routes).toMatch(/^default via 10\.0\.0\.254 /m)
  expect(routes).toMatch(/^172\.16\.0\.0\/16 via 10\.0\.0\.1 /m)
  // Its route goes, the lease stays.
  await reload((l) => {
    delete l.hosts['vm5']!.routes
  })
  const fewer = await world.ok(['ip', '-n', 'vm5', 'route'])
  expect(fewer).not.toContain('172.16.0.0')
  expect(fewer).toMatch(/^default via 10\.0\.0\.254 /m)
  await reload((l) => {
    Object.assign(l.hosts['vm5']!.interfaces['eth0']!, { address: '10.0.0.5/24' })
  })
  expect(await addresses('vm5')).toMatch(/^eth0 +\S+ +10\.0\.0\.5\/24 *$/m)
  expect((await resolver()).code).not.toBe(0)
  expect(await daemon!.stop()).toBe(0)
  expect((await world.exec(['ls', '/etc/netns'])).code).not.toBe(0)
})

test('a VLAN tag changes in place, and separates', async () => {
  const before = await link('vm1')
  const steps = await reload((l) => {
    Object.assign(l.hosts['vm1']!.interfaces['eth0']!, { tag: 10 })
  })
  expect(steps).toEqual(['change vm1 eth0 on br-in', 'reloaded'])
  expect(await link('vm1')).toEqual(before)
  expect((await world.exec(['ping', '-c1', '-W1', '10.0.0.254'], { netns: 'vm1' })).code).not.toBe(0)
  await reload((l) => {
    Object.assign(l.routers['rt']!.interfaces['eth0']!, { tag: 10 })
  })
  expect((await world.exec(['ping', '-c1', '-W2', '10.0.0.254'], { netns: 'vm1' })).code).toBe(0)
})

test('MAC address and MTU of a host change in place', async () => {
  const before = await link('vm1')
  await reload((l) => {
    Object.assign(l.hosts['vm1']!.interfaces['eth0']!, { mac: '02:00:00:00:00:77', mtu: 1400 })
  })
  const after = await link('vm1')
  expect(after).toMatchObject({ ifindex: before.ifindex, address: '02:00:00:00:00:77', mtu: 1400 })
  expect((await world.exec(['ping', '-c1', '-W2', '10.0.0.254'], { netns: 'vm1' })).code).toBe(0)
  expect(await world.ok(['ip', '-n', 'vm1', 'route'])).toContain('default via 10.0.0.254')
})

test('another address brings its routes back with it', async () => {
  await reload((l) => {
    Object.assign(l.hosts['vm1']!.interfaces['eth0']!, { address: '10.0.0.7/24' })
  })
  expect(await addresses('vm1')).toMatch(/ 10\.0\.0\.7\/24 *$/m)
  expect((await world.exec(['ping', '-c1', '-W2', '192.168.100.1'], { netns: 'vm1' })).code).toBe(0)
})

test('a host moves to another bridge, and from DHCP to an address of its own', async () => {
  await reload((l) => {
    l.hosts['vm2'] = {
      interfaces: { eth0: { bridge: 'br-ex', address: '192.168.100.2/24', gateway: '192.168.100.11' } },
    }
  })
  expect(await addresses('vm2')).toMatch(/ 192\.168\.100\.2\/24 *$/m)
  expect((await world.exec(['ping', '-c1', '-W2', '192.168.100.1'], { netns: 'vm2' })).code).toBe(0)
  expect(await leaseOf('vm2')).toBe('released')
})

test('SIGHUP reads the file again', async () => {
  const wanted = lab()
  wanted.hosts['vm4'] = { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.4/24' } } }
  await writeFile(path, JSON.stringify(wanted))
  expect(await reloadedBy(daemon!, () => daemon!.signal('SIGHUP'))).toMatch(/^reloaded$/m)
  expect((await world.exec(['ping', '-c1', '-W2', '10.0.0.4'], { netns: 'vm1' })).code).toBe(0)
})

test('a configuration with errors changes nothing', async () => {
  await writeFile(path, '{ "bridges": { "br-in": { "prots": {} } } }')
  const { code, stderr } = await world.cli(['reload'])
  expect(code).toBe(3)
  expect(stderr).toContain('ports')
  expect((await world.exec(['ping', '-c1', '-W2', '192.168.100.1'], { netns: 'vm1' })).code).toBe(0)
  expect(daemon!.running).toBe(true)
})

test('a name that is taken is refused before anything is touched', async () => {
  await world.sh('ip netns add vm9')
  const before = await everything()
  const wanted = lab()
  wanted.hosts['vm8'] = { interfaces: {} }
  wanted.hosts['vm9'] = { interfaces: {} }
  await writeFile(path, JSON.stringify(wanted))
  const { code, stderr } = await world.cli(['reload'])
  expect(code).toBe(6)
  expect(stderr).toContain('"vm9"')
  expect(await everything()).toBe(before)
})

test('a reload that fails in the middle leads back to what was', async () => {
  // A file where a directory is needed: nobody looks before the name servers are written.
  await world.sh('mkdir -p /etc/netns; touch /etc/netns/vm8')
  const before = await everything()
  const wanted = lab()
  Object.assign(wanted.hosts['vm1']!.interfaces['eth0']!, { address: '10.0.0.7/24', tag: 10, mtu: 1400 })
  wanted.hosts['vm8'] = {
    interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.8/24' } },
    ...{ dns: ['10.0.0.254'] },
  }
  delete wanted.hosts['outside']
  await writeFile(path, JSON.stringify(wanted))
  const printed = daemon!.stdout.length
  const { code, stderr } = await world.cli(['reload'])
  expect(code).toBe(6)
  expect(stderr).toContain('/etc/netns/vm8/resolv.conf cannot be written')
  expect(await everything()).toBe(before)
  expect(daemon!.stdout.slice(printed)).toContain('address 10.0.0.7/24 of vm1 eth0')
  expect((await world.exec(['ping', '-c1', '-W2', '192.168.100.1'], { netns: 'vm1' })).code).toBe(0)
  expect(await reload((l) => Object.assign(l, lab()))).toEqual(['nothing has changed'])
})

/** What the hosts are, without what depends on time or on the order of making. */
const everything = () =>
  world.sh(
    'ip netns list | cut -d" " -f1 | sort; for n in vm1 vm2 outside; do ip -n $n -br -4 address; ip -n $n -br link; ip -n $n route; done',
  )
