/**
 * What is exported of the same frames by a real Open vSwitch and by ours: the same templates, and records that are
 * equal but for their times. And the same datapath actions in a trace.
 */
import { createSocket, type Socket } from 'node:dgram'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import { parseMatch } from '../../protocols/openflow/text/match-parse.ts'
import { seededRandom } from '../../protocols/random.ts'
import { Ipfix } from '../../src/services/ipfix.ts'
import { realClock } from '../../src/services/scheduler.ts'
import { IpfixCollector } from '../support/ipfix-collector.ts'
import { Cases } from '../support/openflow-cases.ts'
import { OpenflowLab } from '../support/openflow-lab.ts'
import { OvsSwitch } from '../support/ovs-openflow.ts'
import { until } from '../support/until.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const FRAMES = 200
const CACHE = { cacheActiveTimeout: 4200, cacheMaxFlows: 8 }
const TUNNEL_SOURCE = '6876/893:4'
const FLOW_START = '158'
const FLOW_END = '159'

const FLOWS = [
  'in_port=1,actions=sample(probability=65535,collector_set_id=1,obs_domain_id=7,obs_point_id=8),output:2',
  'in_port=2,actions=mod_vlan_vid:5,sample(probability=65535,collector_set_id=3,obs_domain_id=11,obs_point_id=9,sampling_port=3,egress),output:3,strip_vlan,output:1',
  'in_port=3,actions=sample(probability=65535,collector_set_id=2,obs_domain_id=9,sampling_port=3,ingress)',
  'in_port=4,actions=sample(probability=65535,collector_set_id=4,obs_domain_id=10),output:1,output:2',
]

/** A collector at a port of the loopback interface. */
class Listening {
  readonly collector = new IpfixCollector()
  readonly #socket: Socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#socket.bind(0, '127.0.0.1', resolve))
    this.#socket.on('message', (message, { port }) => this.collector.receive(message, port))
    return `127.0.0.1:${this.#socket.address().port}`
  }

  close(): void {
    this.#socket.close()
  }
}

let ovs: OvsSwitch
beforeAll(async () => {
  ovs = await OvsSwitch.start(PORTS)
})
afterAll(() => ovs.stop())

function ours(): OpenflowLab {
  return new OpenflowLab(PORTS)
}

/** One exporter of all the bridge carries, and three sets, all with one collector. */
async function configureOvs(target: string, sampling: number): Promise<void> {
  const exporter = [
    'create',
    'IPFIX',
    `targets="${target}"`,
    `cache_active_timeout=${CACHE.cacheActiveTimeout}`,
    `cache_max_flows=${CACHE.cacheMaxFlows}`,
  ]
  const set = (id: number) => [
    ...['--', `--id=@s${id}`, ...exporter],
    ...['--', 'create', 'Flow_Sample_Collector_Set', `id=${id}`, 'bridge=@br', `ipfix=@s${id}`],
  ]
  const bridge = ['--', '--id=@all', ...exporter, `sampling=${sampling}`, 'obs_domain_id=1', 'obs_point_id=2']
  await ovs.ovs.vsctl(
    ...['--id=@br', 'get', 'Bridge', 'br0'],
    ...[...bridge, '--', 'set', 'Bridge', 'br0', 'ipfix=@all'],
    ...[...set(1), ...set(2), ...set(3)],
  )
}

async function unconfigureOvs(): Promise<void> {
  await ovs.ovs.vsctl(
    'clear',
    'Bridge',
    'br0',
    'ipfix',
    '--',
    '--all',
    'destroy',
    'Flow_Sample_Collector_Set',
  )
}

async function configureOurs(ipfix: Ipfix, target: string, sampling: number): Promise<void> {
  const process = { targets: [target], ...CACHE }
  const all = { ...process, sampling, obsDomainId: 1, obsPointId: 2, input: true, output: true }
  await ipfix.put({ bridge: 'br0', all, sets: [1, 2, 3].map((id) => ({ ...process, id })) })
}

function service(lab: OpenflowLab): Ipfix {
  const options = { dpif: lab.lab.local.dpif, clock: realClock, indexOf: () => 0, log: () => {} }
  return new Ipfix(options)
}

/**
 * Dropped octets and packets. Open vSwitch's userspace datapath looks for the actions of a sampled packet under a
 * number that only the first packet of a megaflow has, and takes the others for dropped. It is right where all are.
 */
const DROPPED = ['132', '133', '134', '135']
const ALL_DROPPED = 9

/** Records of a domain, without what cannot be compared. */
function recordsOf({ records }: IpfixCollector, domain: number) {
  const left = [FLOW_START, FLOW_END, ...(domain === ALL_DROPPED ? [] : DROPPED)]
  return records
    .filter((r) => r.domain === domain)
    .map(({ template, values }) => {
      const kept = Object.entries(values).filter(([field]) => !left.includes(field))
      return { template, ...Object.fromEntries(kept) }
    })
}

test('frames of many kinds are exported alike', async () => {
  const [theirs, mine] = [new Listening(), new Listening()]
  const lab = ours()
  const ipfix = service(lab)
  try {
    await configureOvs(await theirs.open(), 1)
    await configureOurs(ipfix, await mine.open(), 1)
    await ovs.flows(FLOWS, 'OpenFlow10')
    lab.flows(FLOWS)
    const cases = new Cases(seededRandom(7), { ports: 4, tables: 1, normal: false, groups: 0 })
    for (let n = 0; n < FRAMES; n++) {
      const port = 1 + cases.below(4)
      const frame = cases.frame()
      expect(lab.send(port, frame)).toEqual(await ovs.send(port, frame))
    }
    const counts = (text: string): string[] => text.match(/(?:flows|pkts|ok|errs)=\d+/g) ?? []
    const theirStats = counts(await ovs.ovs.ofctl('dump-ipfix-bridge', 'br0'))
    const stats = ipfix.bridgeStats('br0')!
    expect([
      `flows=${stats.totalFlows}`,
      `flows=${stats.currentFlows}`,
      `pkts=${stats.packets}`,
      `ok=${stats.ipv4Packets}`,
      `ok=${stats.ipv6Packets}`,
    ]).toEqual(theirStats.slice(0, 5))
    expect([
      `errs=${stats.errorPackets}`,
      `errs=${stats.ipv4ErrorPackets}`,
      `errs=${stats.ipv6ErrorPackets}`,
    ]).toEqual(theirStats.slice(6, 9))

    const exported = ipfix.flowStats('br0').reduce((sum, set) => sum + set.totalFlows, stats.totalFlows)
    await unconfigureOvs()
    await ipfix.remove('br0')
    const both = [theirs, mine].map((l) => l.collector)
    await until(
      () => both.every((collector) => collector.flows().length === exported),
      'all records have come',
    )
    for (const domain of [1, 7, 9, 11, 10, 0]) {
      const [expected, actual] = both.map((collector) => recordsOf(collector, domain))
      if (domain === 0) expect(actual!.map((r) => r.template)).toEqual(expected!.map((r) => r.template))
      else expect(actual).toEqual(expected)
    }
    expect(recordsOf(both[0]!, 1).length).toBeGreaterThan(30)
    expect(recordsOf(both[0]!, 11).length).toBeGreaterThan(10)
    expect(recordsOf(both[0]!, 9).length).toBeGreaterThan(10)
    const plain = [...both[0]!.templates].filter(([, { fields }]) => !fields.includes(TUNNEL_SOURCE))
    expect(Object.fromEntries(both[1]!.templates)).toEqual(Object.fromEntries(plain))
    expect(both[1]!.gaps).toBe(0)
  } finally {
    await unconfigureOvs()
    theirs.close()
    mine.close()
  }
})

test('a trace shows the same datapath actions', async () => {
  const lab = ours()
  const ipfix = service(lab)
  const actions = [
    'sample(probability=65535,collector_set_id=1,obs_domain_id=5,obs_point_id=6),output:2',
    'sample(probability=32768,collector_set_id=1),output:2',
    'sample(probability=1,collector_set_id=77,sampling_port=2),output:2,output:3',
    'sample(probability=100,collector_set_id=4294967295,sampling_port=1,ingress),output:2',
    'sample(probability=100,collector_set_id=1,sampling_port=2,egress),output:2',
    'sample(probability=100,collector_set_id=1,sampling_port=77,egress),output:2',
    'mod_dl_dst:02:00:00:00:00:09,sample(probability=65535,collector_set_id=1),output:4',
    'clone(sample(probability=65535,collector_set_id=1),output:2),output:3',
  ]
  const flow =
    'in_port=1,tcp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2'
  const match = parseMatch(flow)
  match.value[W_IN_PORT] = 1
  const compare = async () => {
    for (const list of actions) {
      await ovs.ovs.ofctl('-O', 'OpenFlow10', 'add-flow', 'br0', `actions=${list}`)
      lab.flows([`actions=${list}`])
      const expected = (await ovs.ovs.appctl('ofproto/trace', 'br0', flow)).trim().split('\n').at(-1)
      const lines = lab.lab.commands.trace('br0', match.value, 1)
      expect(lines.at(-1)!.replace(/\bp(?=\d)/g, '')).toBe(expected)
      if (list.includes('=77,egress')) {
        expect(lines).toContain("     >>>> can't use unknown port 77 in flow sample action <<<<")
      }
    }
  }
  await ovs.clear()
  lab.clear()
  // Without anybody to send to, sample does nothing.
  const unconfigured = lab.lab.commands
  lab.flows([`actions=${actions[0]}`])
  expect(unconfigured.trace('br0', match.value, 1).at(-1)).toBe('Datapath actions: p2')
  await configureOvs('127.0.0.1:4739', 2)
  await configureOurs(ipfix, '127.0.0.1:4739', 2)
  await compare()
  await unconfigureOvs()
  await ipfix.remove('br0')
})
