import { existsSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { twoHosts } from '../support/labs.ts'
import { COMMAND, type ExecResult, World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world?.close())

/** Everything a switch could leave: namespaces, devices, addresses, files. */
async function traces(): Promise<string> {
  return world.sh(
    'ip netns list; ip -br -4 address; ip route; find /run /etc/netns -xdev -not -path "/run/.etc*" 2>/dev/null | sort',
  )
}

/** One sentence, one hint, a code, and nothing more. */
function expectClear(result: ExecResult, code: number, sentence: RegExp): void {
  const text = `${result.stdout}\n${result.stderr}`
  expect(result.code, text).toBe(code)
  expect(result.stderr).toMatch(sentence)
  expect(result.stderr).toMatch(/^hint: .+/m)
  expect(text).not.toMatch(/\n {4}at |mistake in vswitchd-ts/)
}

async function start(config: object, args: string[] = []): Promise<ExecResult> {
  return world.cli(['start', await world.file('config.json', config), ...args])
}

test('not root', async () => {
  const before = await traces()
  const config = await world.file('config.json', twoHosts())
  await world.sh(`chmod 755 ${world.dir}`)
  const result = await world.exec([
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--inh-caps=-all',
    COMMAND,
    'start',
    config,
    '--rundir',
    '/run/openvswitch',
  ])
  expectClear(result, 6, /privileges.*CAP_NET_ADMIN/)
  expect(await traces()).toBe(before)
})

test('no /dev/net/tun', async () => {
  const before = await traces()
  await world.sh('mount -t tmpfs tmpfs /dev/net')
  expectClear(await start(twoHosts()), 6, /There is no \/dev\/net\/tun/)
  expect(await traces()).toBe(before)
})

test('ip is missing', async () => {
  const before = await traces()
  const config = await world.file('config.json', twoHosts())
  await world.sh(`mkdir ${world.dir}/bin; ln -s ${process.execPath} ${world.dir}/bin/node`)
  const result = await world.exec(['env', `PATH=${world.dir}/bin`, COMMAND, 'start', config])
  expectClear(result, 6, /"ip" is missing/)
  expect(result.stderr).toContain('iproute2')
  expect(await traces()).toBe(before)
})

test('the name of a host is taken by a namespace of somebody else', async () => {
  await world.sh('ip netns add b')
  const before = await traces()
  expectClear(await start(twoHosts()), 6, /already a network namespace "b"/)
  expect(await traces()).toBe(before)
})

test('the name of a bridge is taken by a device of somebody else', async () => {
  await world.sh('ip link add br0 type veth peer name br0x')
  const before = await traces()
  expectClear(
    await start(twoHosts({ bridges: { br0: { address: '10.1.0.9/24' } } })),
    6,
    /already a network interface "br0"/,
  )
  expect(await traces()).toBe(before)
})

test('an interface is missing', async () => {
  await world.sh('ip link add other0 type veth peer name other0x')
  const before = await traces()
  const config = twoHosts({ bridges: { br0: { ports: { up: { type: 'system', device: 'eno7' } } } } })
  const result = await start(config)
  expectClear(result, 6, /no interface "eno7"/)
  expect(result.stderr).toContain('other0')
  expect(await traces()).toBe(before)
})

test('an interface is a port of a kernel bridge', async () => {
  await world.sh(
    'ip link add kbr type bridge; ip link add eno7 type veth peer name eno7x; ip link set eno7 master kbr',
  )
  const before = await traces()
  const config = twoHosts({ bridges: { br0: { ports: { up: { type: 'system', device: 'eno7' } } } } })
  expectClear(await start(config), 6, /eno7 is already a port of another switch \(kbr\)/)
  expect(await traces()).toBe(before)
})

test('an interface is a port of another vswitchd-ts', async () => {
  await world.sh('ip link add eno7 type veth peer name eno7x')
  const bridges = { br1: { ports: { up: { type: 'system', device: 'eno7' } } } }
  await world.start({ bridges })
  const before = await traces()
  const config = twoHosts({ bridges: { br0: { ports: { up: { type: 'system', device: 'eno7' } } } } })
  expectClear(
    await start(config, ['--rundir', '/run/second']),
    6,
    /eno7 is already a port of another vswitchd-ts/,
  )
  expect(await traces()).toBe(before)
})

test('a second switch in the same run directory, and one beside it with the same names', async () => {
  const first = await world.start(twoHosts())
  const before = await traces()
  const pid = (await world.ok(['cat', '/run/openvswitch/vswitchd-ts.pid'])).trim()
  expectClear(await start(twoHosts()), 5, new RegExp(`already running in .*${pid}`))
  expectClear(await start(twoHosts(), ['--rundir', '/run/second']), 6, /already a network namespace "a"/)
  expect(await traces()).toBe(before)
  expect((await world.exec(['ping', '-c1', '-W2', '10.1.0.2'], { netns: 'a' })).code).toBe(0)
  expect(await first.stop()).toBe(0)
})

test('two switches side by side, each in a run directory of its own', async () => {
  await world.start(twoHosts())
  const other = {
    bridges: { br1: {} },
    hosts: {
      c: { interfaces: { eth0: { bridge: 'br1', address: '10.1.0.1/24' } } },
      d: { interfaces: { eth0: { bridge: 'br1', address: '10.1.0.2/24' } } },
    },
  }
  const second = await world.start(other, ['--rundir', '/run/second'])
  for (const host of ['a', 'c']) {
    expect((await world.exec(['ping', '-c1', '-W2', '10.1.0.2'], { netns: host })).code).toBe(0)
  }
  expect((await world.cli(['stop', '--rundir', '/run/second'])).code).toBe(0)
  expect(await second.exited).toBe(0)
  const names = (await world.ok(['ip', 'netns', 'list'])).match(/^\w+/gm)
  expect(names?.sort()).toEqual(['a', 'b'])
})

const WITH_DHCP = twoHosts({
  routers: {
    rt: {
      interfaces: {
        eth0: { bridge: 'br0', address: '10.1.0.254/24', dhcp: { range: ['10.1.0.100', '10.1.0.110'] } },
      },
    },
  },
})

/** A file system without a free byte. */
async function fullDisk(path: string): Promise<void> {
  await world.sh(
    `mkdir ${path}; mount -t tmpfs -o size=64k tmpfs ${path}; cat /dev/zero > ${path}/filler || true`,
  )
}

test('no room for the lease journal', async () => {
  await fullDisk('/run/full')
  await world.sh('mkdir /run/openvswitch; ln -s /run/full/journal /run/openvswitch/leases-rt.eth0.journal')
  const before = await traces()
  expectClear(await start(WITH_DHCP), 6, /lease journal .*: the disk is full/)
  expect((await traces()).replace('/run/full/journal\n', '')).toBe(before)
})

test('no room in the run directory', async () => {
  await fullDisk('/run/full')
  const before = await traces()
  expectClear(await start(twoHosts(), ['--rundir', '/run/full']), 6, /no space|disk is full/)
  expect(await traces()).toBe(before)
})

test('the run directory cannot be written', async () => {
  await world.sh('mkdir /run/fixed; mount -t tmpfs -o ro tmpfs /run/fixed')
  const before = await traces()
  expectClear(await start(twoHosts(), ['--rundir', '/run/fixed']), 6, /run directory \/run\/fixed/)
  expect(await traces()).toBe(before)
})

test('after a kill -9, stop removes what was ours and nothing else', async () => {
  await world.sh(
    'ip netns add theirs; ip link add dummy7 type veth peer name dummy7x; mkdir -p /etc/netns/theirs',
  )
  const hosts = {
    a: { interfaces: { eth0: { bridge: 'br0', address: '10.1.0.1/24' } }, dns: ['10.1.0.254'] },
  }
  const before = await world.sh('ip netns list; ip -br link; find /etc/netns')
  const daemon = await world.start(twoHosts({ hosts }))
  expect(await world.ok(['cat', '/etc/resolv.conf'], { netns: 'a' })).toContain('nameserver 10.1.0.254')
  await daemon.stop('SIGKILL')
  const result = await world.cli(['stop'])
  expect(result.code, result.stderr).toBe(0)
  expect(result.stdout).toContain('removed namespace a')
  expect(await world.sh('ip netns list; ip -br link; find /etc/netns')).toBe(before)
  expect((await world.cli(['stop'])).code).toBe(4)
})

test('a namespace that somebody else has made under our name since is left alone, and it is said', async () => {
  const daemon = await world.start(twoHosts())
  await daemon.stop('SIGKILL')
  await world.sh('ip netns delete a; ip netns add a; ip -n a link add theirs type veth peer name theirsx')
  const result = await world.cli(['stop'])
  expect(result.code).toBe(0)
  expect(result.stdout).toMatch(/"a" is no longer the one we made, and is left alone/)
  expect(result.stdout).not.toContain('removed namespace a')
  expect(result.stdout).toContain('removed namespace b')
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('a')
  expect(await world.ok(['ip', '-n', 'a', '-br', 'link'])).toContain('theirs')
})

test('a kill -9 at any moment of the start leaves nothing that the next stop does not remove', async () => {
  const before = await world.sh('ip netns list; ip -br link; ls -A /etc/netns 2>/dev/null || true')
  for (const moment of [/host a/, /host b/, /a eth0/, /address 10.1.0.1/, /name servers/]) {
    const hosts = {
      a: { interfaces: { eth0: { bridge: 'br0', address: '10.1.0.1/24' } }, dns: ['10.1.0.254'] },
    }
    const daemon = await world.launch(twoHosts({ hosts }))
    await daemon.waitFor(moment)
    await daemon.stop('SIGKILL')
    await world.cli(['stop'])
    expect(await world.sh('ip netns list; ip -br link; ls -A /etc/netns 2>/dev/null || true')).toBe(before)
  }
})

test('SIGINT and SIGTERM end it with code 0, also while it starts', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const daemon = await world.start(twoHosts())
    expect(await daemon.stop(signal)).toBe(0)
  }
  const early = await world.launch(twoHosts())
  await early.waitFor(/host a/)
  expect(await early.stop('SIGTERM')).toBe(0)
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')
})

test('a reader that leaves, as tee does at the same Ctrl-C, ends no switch and keeps nothing from being taken back', async () => {
  const config = await world.file('config.json', twoHosts())
  const unread = world.spawn(['bash', '-c', `exec ${COMMAND} start ${config} > >(sed '/^host b/q')`])
  await unread.waitFor(/host b/)
  expect(await unread.stop('SIGINT')).toBe(0)
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')

  const detached = await world.exec([
    'bash',
    '-o',
    'pipefail',
    '-c',
    `${COMMAND} start ${config} --detach | true`,
  ])
  expect(detached.code, detached.stderr).toBe(0)
  expect((await world.cli(['stop'])).code).toBe(0)
})

test('a network interface taken from a host is reported and does not disturb the others', async () => {
  const daemon = await world.start(
    twoHosts({ hosts: { c: { interfaces: { eth0: { bridge: 'br0', address: '10.1.0.3/24' } } } } }),
  )
  await world.sh('ip -n b link delete eth0')
  await daemon.waitFor(/interface eth0 of b has been removed/)
  expect((await world.exec(['ping', '-c1', '-W2', '10.1.0.3'], { netns: 'a' })).code).toBe(0)
  const status = JSON.parse((await world.cli(['status', '--json'])).stdout)
  expect(status.ports.find((port: { name: string }) => port.name === 'b.eth0').link).toBe('gone')
  expect(await daemon.stop()).toBe(0)
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')
})

test('--detach returns when the network is up, and a failing start passes its sentence on', async () => {
  const config = await world.file('config.json', twoHosts())
  const { code, stdout, stderr } = await world.cli(['start', config, '--detach'])
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^up: /m)
  const leader = 'pid=$(cat /run/openvswitch/vswitchd-ts.pid); test $(ps -o sid= -p $pid) = $pid'
  expect((await world.exec(['sh', '-c', leader])).code).toBe(0)
  expect((await world.exec(['ping', '-c1', '-W2', '10.1.0.2'], { netns: 'a' })).code).toBe(0)
  expectClear(
    await start(twoHosts(), ['--detach', '--rundir', '/run/second']),
    6,
    /already a network namespace "a"/,
  )
  expect((await world.cli(['stop'])).code).toBe(0)
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')
  expect(existsSync(world.path('/run/openvswitch/vswitchd-ts.ctl'))).toBe(false)
})
