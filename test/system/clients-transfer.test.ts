/** FTP, active and passive, and TFTP with real clients: through ct(nat), a router's SNAT and its port forwards. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT, World } from '../support/world.ts'

const PUBLIC = '192.168.100.11'
const FLOWS = [
  'table=0,priority=1,actions=drop',
  'table=0,arp,actions=normal',
  'table=0,priority=9,in_port=1,tcp,tp_dst=21,actions=ct(commit,zone=3,alg=ftp,nat(src=10.7.0.100),table=1)',
  'table=0,priority=9,in_port=1,udp,tp_dst=69,actions=ct(commit,zone=3,alg=tftp,nat(src=10.7.0.100),table=1)',
  'table=0,priority=5,in_port=1,ip,actions=ct(zone=3,nat,table=1)',
  'table=0,priority=5,in_port=2,ip,actions=ct(zone=3,nat,table=2)',
  // Nothing but transfers and what is announced in them.
  'table=1,priority=9,ct_state=+rel+new,ip,actions=ct(commit,zone=3,nat),output:2',
  'table=1,priority=5,ct_state=+est,actions=output:2',
  'table=1,priority=5,ct_state=+new,tcp,tp_dst=21,actions=output:2',
  'table=1,priority=5,ct_state=+new,udp,tp_dst=69,actions=output:2',
  'table=2,priority=9,ct_state=+rel+new,ip,actions=ct(commit,zone=3,nat),output:1',
  'table=2,priority=5,ct_state=+est,actions=output:1',
]

let world: World
beforeAll(async () => {
  world = await World.create()
  const mac = (n: number) => `02:00:00:00:07:0${n}`
  const inside = (n: number) => ({
    interfaces: { eth0: { bridge: 'br-in', address: `10.0.0.${n}/24`, gateway: '10.0.0.254' } },
  })
  const tracked = (n: number) => ({
    interfaces: { eth0: { bridge: 'br-ct', address: `10.7.0.${n}/24`, mac: mac(n) } },
  })
  await world.start({
    bridges: { 'br-in': {}, 'br-ex': {}, 'br-ct': { failMode: 'secure' } },
    hosts: {
      vm1: inside(1),
      vm2: inside(2),
      outside: { interfaces: { eth0: { bridge: 'br-ex', address: '192.168.100.1/24' } } },
      c1: tracked(1),
      c2: tracked(2),
    },
    routers: {
      rt: {
        interfaces: {
          eth0: { bridge: 'br-in', address: '10.0.0.254/24' },
          eth1: { bridge: 'br-ex', address: `${PUBLIC}/24` },
        },
        nat: [
          { type: 'snat', source: '10.0.0.0/24', notDestination: '10.0.0.0/24', to: PUBLIC },
          { type: 'dnat', protocol: 'tcp', address: PUBLIC, port: 21, to: '10.0.0.2:21' },
        ],
      },
    },
  })
  await world.ok(['ovs-ofctl', 'add-flows', 'br-ct', '-'], { input: FLOWS.join('\n') })
  await world.sh(
    `ip -n c2 neigh replace 10.7.0.100 lladdr ${mac(1)} dev eth0 nud permanent\nhead -c 3M /dev/urandom > /run/file`,
  )
  for (const netns of ['outside', 'vm2', 'c2']) {
    const program = join(ROOT, 'test/support/programs/transfer_servers.py')
    await world.spawn(['python3', program, '/run/file'], { netns }).waitFor(/ready/)
  }
})
afterAll(() => world?.close())

const sum = (script: string, netns?: string) =>
  world.sh(`set -o pipefail; ${script} | sha256sum`, netns === undefined ? {} : { netns })

describe.each([
  ['ct(nat)', 'c1', '10.7.0.2'],
  ['SNAT', 'vm1', '192.168.100.1'],
  ['a port forward', 'outside', PUBLIC],
])('through %s', (_, client, server) => {
  test.each([
    ['extended passive', ''],
    ['passive', '--disable-epsv --no-ftp-skip-pasv-ip'],
    ['extended active', '--ftp-port -'],
    ['active', '--ftp-port - --disable-eprt'],
  ])('FTP, %s', async (_, options) => {
    const url = `ftp://${server}/file`
    expect(await sum(`curl -sS --max-time 20 ${options} ${url} ${url}`, client)).toBe(
      await sum('cat /run/file /run/file'),
    )
  })
})

test.each([
  ['ct(nat)', 'c1', '10.7.0.2'],
  ['SNAT', 'vm1', '192.168.100.1'],
])('TFTP through %s', async (_, client, server) => {
  expect(await sum(`curl -sS --max-time 20 --tftp-no-options tftp://${server}/file`, client)).toBe(
    await sum('head -c 5000 /run/file'),
  )
})
