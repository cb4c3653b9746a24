/** A collector of nobody's making but Debian's (nfdump) reads what we export, from the first packet to the last. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { type Background, World } from '../support/world.ts'

const BRIDGE = 'br0'
const PINGS = 20
const CACHE = { cacheActiveTimeout: 4200, cacheMaxFlows: 1000 }

function config(bridge: object) {
  const host = (i: number) => ({
    interfaces: { eth0: { bridge: BRIDGE, address: `10.0.0.${i}/24`, mac: `02:00:00:00:00:0${i}` } },
  })
  return {
    bridges: { [BRIDGE]: { address: '10.0.0.254/24', ...bridge } },
    hosts: { vm1: host(1), vm2: host(2) },
  }
}

let world: World
let nfcapd: Background
let files: string

beforeAll(async () => {
  world = await World.create()
  files = join(world.dir, 'nf')
  await mkdir(files)
  // It hears on the loopback interface of the machine's own namespace, where the switch sends from.
  nfcapd = world.spawn(['nfcapd', '-w', files, '-b', '127.0.0.1', '-p', '4739', '-t', '3600'])
  await nfcapd.waitFor(/Startup/, 10_000)
})
afterAll(() => world.close())

const ofctl = (...args: string[]) => world.ok(['ovs-ofctl', ...args])

test('flows cross to a real collector; statistics and reload follow', async () => {
  const collector = { targets: ['127.0.0.1'], ...CACHE }
  const ipfix = { ...collector, sampling: 1, obsDomainId: 5, virtualObsId: 'lab' }
  const path = await world.file('lab.json', config({ ipfix, flowSampleCollectorSets: { 7: collector } }))
  const daemon = await world.start(path)
  await ofctl(
    'add-flow',
    BRIDGE,
    'priority=9,icmp,in_port=1,actions=sample(probability=65535,collector_set_id=7,obs_domain_id=6),normal',
  )
  await world.ok(['ping', '-n', '-c', String(PINGS), '-i', '0.01', '10.0.0.2'], { netns: 'vm1' })
  const counted = new RegExp(`id +7: flows=1, current flows=1, sampled pkts=${PINGS}, ipv4 ok=${PINGS},`)
  await until(async () => counted.test(await ofctl('dump-ipfix-flow', BRIDGE)), 'the packets are sampled')
  expect(await ofctl('dump-ipfix-bridge', BRIDGE)).toMatch(
    /bridge ipfix: flows=[1-9].* tx pkts=0\n.* tx errs=0/,
  )
  const trace = await world.cli(['trace', BRIDGE, 'in_port=1,icmp'])
  expect(trace.stdout).toContain('flow_sample(probability=65535,collector_set_id=7,obs_domain_id=6')

  await world.file('lab.json', config({ ipfix }))
  const reloaded = await world.cli(['reload'])
  expect(reloaded.stdout).toContain(`change IPFIX of ${BRIDGE}`)
  expect((await world.exec(['ovs-ofctl', 'dump-ipfix-flow', BRIDGE])).stdout).toContain('NXST_NOT_CONFIGURED')
  await daemon.stop('SIGTERM')
  await nfcapd.stop('SIGTERM')

  expect(nfcapd.output).toMatch(/Flows: [1-9]\d*, .*Sequence Errors: 0, Bad Packets: 0/)
  const flows = JSON.parse(await world.ok(['nfdump', '-R', files, '-o', 'json', 'proto icmp'])) as object[]
  const pinged = { proto: 1, in_src_mac: '02:00:00:00:00:01', in_dst_mac: '02:00:00:00:00:02' }
  // nfdump names the domain so.
  const [sampled, ofBridge] = [6, 5].map((domain) =>
    flows.filter((flow) => 'observationDoaminID' in flow && flow.observationDoaminID === domain),
  )
  expect(sampled).toMatchObject([
    { ...pinged, src4_addr: '10.0.0.1', dst4_addr: '10.0.0.2', in_packets: PINGS, in_bytes: PINGS * 84 },
  ])
  // In by vm1 and out by vm2, and the answers.
  expect(ofBridge).toHaveLength(4)
})
