import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { type Background, ROOT, World } from '../support/world.ts'

const EXAMPLE = join(ROOT, 'examples/netns-lab.json')

let world: World
let daemon: Background
beforeAll(async () => {
  world = await World.create()
  daemon = await world.start(EXAMPLE)
})
afterAll(() => world?.close())

const ping = (from: string | undefined, to: string) =>
  world.exec(['ping', '-c', '2', '-i', '0.2', '-W', '2', to], from === undefined ? {} : { netns: from })

async function vm2Address(): Promise<string> {
  const text = await world.ok(['ip', '-n', 'vm2', '-j', '-4', 'address', 'show', 'dev', 'eth0'])
  return JSON.parse(text)[0].addr_info[0].local
}

test('hosts are namespaces that ip netns knows and enters, with their addresses and routes', async () => {
  const list = await world.ok(['ip', 'netns', 'list'])
  expect(
    list
      .split('\n')
      .map((line) => line.split(' ')[0])
      .sort(),
  ).toEqual(['', 'outside', 'vm1', 'vm2'])
  const inVm1 = await world.ok(['ip', '-br', '-4', 'address', 'show'], { netns: 'vm1' })
  expect(inVm1).toMatch(/^lo +UNKNOWN +127\.0\.0\.1\/8/m)
  expect(inVm1).toMatch(/^eth0 +(UP|UNKNOWN) +10\.0\.0\.1\/24/m)
  expect(await world.ok(['ip', 'route'], { netns: 'vm1' })).toMatch(/^default via 10\.0\.0\.254 dev eth0/m)
})

test('the DHCP host has address, mask, router and lease time from our server when the lab is up', async () => {
  const [link] = JSON.parse(await world.ok(['ip', '-n', 'vm2', '-j', '-4', 'address', 'show', 'dev', 'eth0']))
  const [info] = link.addr_info
  expect(info.local).toMatch(/^10\.0\.0\.15[1-9]$|^10\.0\.0\.160$/)
  expect(info.prefixlen).toBe(24)
  expect(info.dynamic).toBe(true)
  expect(info.valid_life_time).toBeGreaterThan(86_000)
  expect(info.valid_life_time).toBeLessThanOrEqual(86_400)
  expect(await world.ok(['ip', '-n', 'vm2', 'route'])).toMatch(/^default via 10\.0\.0\.254 dev eth0/m)
})

test('everybody reaches whom they should', async () => {
  const vm2 = await vm2Address()
  for (const [from, to] of [
    ['vm1', vm2],
    ['vm2', '10.0.0.1'],
    ['vm1', '10.0.0.254'],
    ['vm1', '192.168.100.1'],
    ['vm2', '203.0.113.1'],
    ['vm1', '192.168.100.21'],
    [undefined, '192.168.100.1'],
    [undefined, '192.168.100.11'],
  ] as const) {
    const { code, stdout } = await ping(from, to)
    expect(code, `${from} to ${to}:\n${stdout}`).toBe(0)
  }
})

test('the outside sees only the address of the NAT, and cannot reach in', async () => {
  const sniffer = world.spawn(['tcpdump', '-nl', '-i', 'eth0', 'icmp'], { netns: 'outside' })
  await sniffer.waitFor(/listening on/)
  expect((await ping('vm1', '192.168.100.1')).code).toBe(0)
  expect((await ping('vm2', '192.168.100.1')).code).toBe(0)
  await sniffer.waitFor(/(echo request[\s\S]*){4}/)
  await sniffer.stop('SIGINT')
  const sources = [...sniffer.stdout.matchAll(/IP (\S+) > \S+ ICMP echo request/g)].map((match) => match[1])
  expect(new Set(sources)).toEqual(new Set(['192.168.100.11']))
  expect((await world.exec(['ping', '-c', '1', '-W', '1', '10.0.0.1'], { netns: 'outside' })).code).not.toBe(
    0,
  )
})

test('no frame has met iptables, a kernel bridge or another DHCP server', async () => {
  expect((await world.ok(['ip', '-d', '-j', 'link', 'show', 'type', 'bridge'])).trim()).toMatch(/^(\[\]|)$/)
  for (const namespace of ['vm1', 'vm2', 'outside', undefined]) {
    const where = namespace === undefined ? {} : { netns: namespace }
    const tables = await world.exec(['cat', '/proc/net/ip_tables_names'], where)
    expect(tables.stdout.trim(), `tables in ${namespace}`).toBe('')
    const rules = await world.exec(['nft', 'list', 'ruleset'], where)
    expect(rules.stdout.trim(), `rules in ${namespace}`).toBe('')
  }
  const processes = await world.ok(['ps', '-e', '-o', 'comm'])
  expect(processes).not.toMatch(/dnsmasq|dhcpd|ovs-vswitchd|kea/)
})

test('status names every port, its host or router and its counters', async () => {
  const status = JSON.parse((await world.cli(['status', '--json'])).stdout)
  expect(status.bridges.map((bridge: { name: string }) => bridge.name)).toEqual(['br-ex', 'br-in'])
  const port = status.ports.find((row: { name: string }) => row.name === 'vm1.eth0')
  expect(port).toMatchObject({ bridge: 'br-in', kind: 'host', owner: 'vm1', interface: 'eth0', link: 'up' })
  expect(port.rxPackets).toBeGreaterThan(0)
  expect(port.txPackets).toBeGreaterThan(0)
})

test('the tables show what the network has learned', async () => {
  await ping('vm1', '192.168.100.1')
  const show = async (what: string) => JSON.parse((await world.cli(['show', what, '--json'])).stdout)
  expect(await show('leases')).toMatchObject([
    { router: 'rt', interface: 'eth0', address: await vm2Address(), state: 'bound', hostname: 'vm2' },
  ])
  const mac = JSON.parse(await world.ok(['ip', '-n', 'vm1', '-j', 'link', 'show', 'eth0']))[0].address
  expect(await show('fdb')).toContainEqual(
    expect.objectContaining({ bridge: 'br-in', port: 'vm1.eth0', mac }),
  )
  expect(await show('arp')).toContainEqual(
    expect.objectContaining({ router: 'rt', interface: 'eth0', address: '10.0.0.1', mac }),
  )
  expect(await show('routes')).toContainEqual(
    expect.objectContaining({ router: 'rt', destination: '0.0.0.0/0', via: '192.168.100.1' }),
  )
  expect(await show('nat')).toContainEqual(expect.objectContaining({ router: 'rt', protocol: 'icmp' }))
  expect((await show('flows')).length).toBeGreaterThan(0)
})

test('a capture is live, has both directions and is read by tcpdump', async () => {
  const capture = world.spawn([
    'bash',
    '-c',
    `${ROOT}/bin/vswitchd-ts capture vm1 -c 20 -w - | tcpdump -nlr - icmp`,
  ])
  await capture.waitFor(/reading from file/)
  for (let i = 0; i < 5; i++) expect((await ping('vm1', '10.0.0.254')).code).toBe(0)
  await capture.waitFor(/10\.0\.0\.1 > 10\.0\.0\.254: ICMP echo request/)
  await capture.waitFor(/10\.0\.0\.254 > 10\.0\.0\.1: ICMP echo reply/)
  expect(await capture.exited).toBe(0)
})

test('ovs-appctl finds the switch as it finds Open vSwitch', async () => {
  expect((await ping('vm1', '10.0.0.254')).code).toBe(0)
  expect(await world.ok(['ovs-appctl', 'version'])).toBe('ovs-vswitchd (Open vSwitch) 3.1.0\n')
  expect(await world.ok(['ovs-appctl', 'ofproto/list'])).toBe('br-ex\nbr-in\n')
  expect(await world.ok(['ovs-appctl', 'fdb/show', 'br-in'])).toMatch(/\n +\d+ +0 {2}[0-9a-f:]{17} {4}\d\n/)
  expect(await world.ok(['ovs-appctl', 'dpif/show'])).toMatch(/\n {4}vm1\.eth0 \d+\/\d+: \(tap\)\n/)
  expect(await world.ok(['ovs-appctl', 'dpctl/dump-flows'])).toContain('eth_type(0x0800)')
  expect(await world.ok(['ovs-appctl', '-t', 'ovsdb-server', 'ovsdb-server/list-dbs'])).toContain(
    'Open_vSwitch\n',
  )
  await world.ok(['ovs-appctl', 'vlog/set', 'vswitchd:file:dbg'])
  expect((await world.exec(['ovs-appctl', 'no/such'])).stderr).toMatch(/^"no\/such" is not a valid command /)
})

test('ovs-appctl tells the routes of the namespace as Open vSwitch does there', async () => {
  const directory = '/run/original'
  await world.sh(`
    ip route add 10.0.0.0/24 via 192.168.100.11
    ip route add 10.4.0.0/16 via 192.168.100.1 table 77
    ip route add blackhole 10.5.0.0/16
    ip route add 10.6.0.0/16 nexthop via 192.168.100.1 nexthop via 192.168.100.11
    mkdir ${directory}
    cd ${directory}
    export OVS_RUNDIR=${directory} OVS_LOGDIR=${directory}
    ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema
    ovsdb-server --detach --no-chdir --pidfile --remote=punix:db.sock --unixctl=ovsdb.ctl conf.db
    ovs-vsctl --db=unix:db.sock --no-wait init
    ovs-vswitchd --detach --no-chdir --pidfile --unixctl=vswitchd.ctl unix:db.sock`)
  /** What both answer, if it is the same; lines are in no order. */
  const same = async (...args: string[]) => {
    const lines = async (...target: string[]) =>
      (await world.exec(['ovs-appctl', ...target, ...args])).stdout.split('\n').sort().join('\n')
    const theirs = await lines('-t', `${directory}/vswitchd.ctl`)
    return (await lines()) === theirs ? theirs : undefined
  }
  // They read again some time after the kernel has told them of a change.
  const table = await until(() => same('ovs/route/show'), 'both tell the same routes')
  expect(table).toContain('Cached: 10.0.0.0/24 dev br-ex GW 192.168.100.11 SRC 192.168.100.21\n')
  expect(table).toContain('Cached: 10.4.0.0/16 dev br-ex GW 192.168.100.1 SRC 192.168.100.21\n')
  expect(table).toContain('Cached: 192.168.100.21/32 dev br-ex SRC 192.168.100.21 local\n')
  expect(table).not.toMatch(/10\.[56]\./)
  for (const [add, device, gateway] of [
    ['10.0.0.0/25', 'br-ex', '192.168.100.1'],
    ['192.168.100.0/24', 'br-ex', '192.168.100.7'],
    ['10.0.0.0/24', 'br-ex', '192.168.100.8'],
  ] as const) {
    expect(await same('ovs/route/add', add, device, gateway)).toBe('\nOK')
  }
  const source = 'src 192.168.100.21'
  for (const [address, gateway] of [
    ['10.0.0.1', '192.168.100.1'],
    ['10.0.0.129', '192.168.100.8'],
    ['10.4.0.1', '192.168.100.1'],
    ['192.168.100.1', '192.168.100.7'],
    ['192.168.100.21', '::'],
  ] as const) {
    expect(await same('ovs/route/lookup', address), address).toBe(
      ['', 'dev br-ex', `gateway ${gateway}`, source].join('\n'),
    )
  }
  expect(await same('ovs/route/lookup', '10.0.0.1', 'pkt_mark=1')).toBe('')
  expect(await until(() => same('ovs/route/show'), 'both tell the same routes')).toContain(
    'User: 10.0.0.0/24 dev br-ex GW 192.168.100.8 SRC 192.168.100.21\n',
  )
  await world.sh(`kill $(cat ${directory}/*.pid)`)
})

test('stop takes everything back, keeps the leases, and the next start finds them', async () => {
  const before = await vm2Address()
  const { code, stdout } = await world.cli(['stop'])
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: 'stopped\n' })
  expect(await daemon.exited).toBe(0)
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')
  expect(await world.ok(['ip', '-br', 'link'])).not.toMatch(/br-ex|vm1|eth0/)
  expect((await world.ok(['ls', '/run/openvswitch'])).split('\n').filter(Boolean)).toEqual([
    'leases-rt.eth0.journal',
    'vswitchd-ts.log',
  ])
  daemon = await world.start(EXAMPLE)
  expect(await vm2Address()).toBe(before)
})

test('after a kill -9 the next start takes over, and the lease is the same', async () => {
  const before = await vm2Address()
  expect(await daemon.stop('SIGKILL')).toBe(128 + 9)
  expect(await world.ok(['ip', 'netns', 'list'])).toContain('vm1')
  daemon = await world.start(EXAMPLE)
  expect(daemon.stdout).toContain('left by an earlier run, removed: namespace vm1')
  expect(await vm2Address()).toBe(before)
  expect((await ping('vm1', before)).code).toBe(0)
})
