/** Queues between real hosts: what iperf3 gets of them, and what ovs-ofctl and people are told. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { iperf, iperfServer } from '../support/iperf3.ts'
import { World } from '../support/world.ts'

const host = (n: number, more: object = {}) => ({
  interfaces: { eth0: { bridge: 'br0', address: `10.0.0.${n}/24`, ...more } },
})
const network = (fast: number) => ({
  bridges: { br0: {} },
  hosts: {
    vm1: host(1),
    vm2: host(2, {
      qos: {
        type: 'linux-htb',
        maxRate: 50_000_000,
        queues: {
          '1': { minRate: 1_000_000, maxRate: 5_000_000 },
          '2': { minRate: 10_000_000, maxRate: fast },
        },
      },
    }),
    vm3: host(3, {
      ingressPolicing: { rate: 4_000_000, burst: 400_000 },
      qos: { type: 'linux-htb', maxRate: 1_000_000_000, queues: { '3': {} } },
    }),
  },
})

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start(network(20_000_000))
  const flows = [5201, 5202].map(
    (port, i) => `priority=9,tcp,tp_dst=${port},actions=set_queue:${i + 1},normal`,
  )
  await world.ok(['ovs-ofctl', 'add-flows', 'br0', '-'], { input: `${flows.join('\n')}\n` })
  await iperfServer(world, 'vm2', 5201)
  await iperfServer(world, 'vm2', 5202)
  await iperfServer(world, 'vm1', 5203)
})
afterAll(() => world?.close())

/** Mbit/s that arrive in two seconds of TCP. */
async function received(from: string, to: 'vm1' | 'vm2', port: number): Promise<number> {
  const seconds = 2
  const args = ['-p', String(port), '-t', String(seconds)]
  return ((await iperf(world, from, `10.0.0.${to[2]}`, args)).sum_received.bytes * 8) / seconds / 1e6
}

test('two queues at once deliver what each is allowed, policing holds a host to its rate, and both tools tell', async () => {
  const [slow, fast, policed] = await Promise.all([
    received('vm1', 'vm2', 5201),
    received('vm1', 'vm2', 5202),
    received('vm3', 'vm1', 5203),
  ])
  expect(slow).toBeGreaterThan(3)
  expect(slow).toBeLessThan(6.5)
  expect(fast).toBeGreaterThan(12)
  expect(fast).toBeLessThan(25)
  expect(policed).toBeGreaterThan(1)
  expect(policed).toBeLessThan(6.5)
  const config = await world.ok(['ovs-ofctl', 'queue-get-config', 'br0', 'vm2.eth0'])
  expect(config).toMatch(
    /queue 0:\s+queue 1: min_rate:2\.0% max_rate:10\.0%\s+queue 2: min_rate:20\.0% max_rate:40\.0%/,
  )
  const stats = await world.ok(['ovs-ofctl', '-O', 'OpenFlow13', 'queue-stats', 'br0', 'vm2.eth0', '1'])
  const [, bytes] = /queue 1: bytes=(\d+), pkts=\d+, errors=\d+, duration=\d+/.exec(stats) ?? []
  // Two seconds of it, some more of headers, and what was sent and came too late.
  expect(Number(bytes)).toBeGreaterThan(500_000)
  const { stdout } = await world.cli(['show', 'queues', '--json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { port: 'vm2.eth0', queue: 0, maxRate: 50_000_000 },
    { port: 'vm2.eth0', queue: 1, maxRate: 5_000_000 },
    { port: 'vm2.eth0', queue: 2, minRate: 10_000_000, maxRate: 20_000_000 },
    { port: 'vm3.eth0', queue: 0, maxRate: 1_000_000_000 },
    { port: 'vm3.eth0', queue: 3, minRate: 12_000 },
  ])
})

test('a reload changes rates and goes on counting', async () => {
  const path = await world.file('faster.json', network(40_000_000))
  const { stdout } = await world.cli(['reload', path])
  expect(stdout).toContain('change vm2 eth0 on br0\n')
  const rows = JSON.parse((await world.cli(['show', 'queues', '--json'])).stdout)
  expect(rows[2]).toMatchObject({ queue: 2, maxRate: 40_000_000 })
  expect(rows[2].txBytes).toBeGreaterThan(1_000_000)
})

/** An Open vSwitch with the same queues, by the kernel's HTB on veths; its bridge is `unix:$OVS_RUNDIR/br0.mgmt`. */
const OVS = `
mkdir -p $OVS_RUNDIR
for i in 1 2 3; do ip link add v$i type veth peer name w$i; ip link set v$i up; ip link set w$i up; done
ovsdb-tool create $OVS_RUNDIR/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server $OVS_RUNDIR/conf.db --remote=punix:$OVS_RUNDIR/db.sock --unixctl=$OVS_RUNDIR/db.ctl --detach --no-chdir --pidfile
vsctl() { ovs-vsctl --db=unix:$OVS_RUNDIR/db.sock "$@"; }
vsctl --no-wait init
ovs-vswitchd unix:$OVS_RUNDIR/db.sock --unixctl=$OVS_RUNDIR/vs.ctl --detach --no-chdir --pidfile
versions=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15
vsctl add-br br0 -- set bridge br0 datapath_type=netdev protocols=$versions
for i in 1 2 3; do vsctl add-port br0 v$i -- set interface v$i ofport_request=$i; done
queue() { echo "--id=@q$1 create queue other-config:min-rate=$2 other-config:max-rate=$3"; }
vsctl set port v2 qos=@q -- --id=@q create qos type=linux-htb other-config:max-rate=50000000 queues:1=@q1 queues:2=@q2 -- \
  $(queue 1 1000000 5000000) -- $(queue 2 10000000 20000000)
vsctl set port v3 qos=@q -- --id=@q create qos type=linux-htb other-config:max-rate=1000000000 queues:3=@q3 -- \
  $(queue 3 12000 1000000000)
`

const QUESTIONS = [
  'queue-get-config',
  'queue-get-config 1',
  'queue-get-config 2',
  'queue-get-config 2 1',
  'queue-get-config 2 9',
  'queue-get-config ANY 9',
  'queue-get-config 77',
  'queue-stats',
  'queue-stats 1',
  'queue-stats 2 1',
  'queue-stats 2 9',
  'queue-stats ALL 9',
  'queue-stats 77',
]

/** What ovs-ofctl says of a switch, version by version, but for numbers that differ of their own. */
async function answers(bridge: string, env: Record<string, string> = {}): Promise<string[]> {
  const asked = [10, 11, 13, 15].flatMap((version) =>
    QUESTIONS.map((question) => {
      const [command, ...args] = question.split(' ')
      return `echo "# ${version} ${question}"; ovs-ofctl --no-names -O OpenFlow${version} ${command} ${bridge} ${args.join(' ')} 2>&1 || true`
    }),
  )
  const said = await world.sh(asked.join('\n'), { env })
  return said
    .replaceAll(/xid=0x[0-9a-f]+/g, 'xid')
    .replaceAll(/(bytes|pkts)=\d+/g, '$1=N')
    .replaceAll(/errors=\d+/g, 'errors=N')
    .replaceAll(/duration=[\d.]+s/g, 'duration=T')
    .replaceAll(/ (min|max)_rate:[\d.]+%/g, '')
    .split('# ')
    .map((answer) => answer.split('\n').sort().join('\n'))
}

test('ovs-ofctl hears of queues what a real Open vSwitch says, but for rates, which that keeps to itself', async () => {
  const env = { OVS_RUNDIR: `${world.dir}/ovs`, OVS_LOGDIR: world.dir }
  await world.sh(OVS, { env })
  const [ovs, ours] = await Promise.all([answers(`unix:${env.OVS_RUNDIR}/br0.mgmt`, env), answers('br0')])
  expect(ovs.join('')).toMatch(/port 2 queue 1: bytes=N[\s\S]*NXQOFC_QUEUE_ERROR/)
  expect(ours).toEqual(ovs)
})
