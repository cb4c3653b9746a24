/** What actions do to the traffic of hosts, as ovs-ofctl programs them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { macOf, OpenflowNetwork } from '../support/openflow-network.ts'
import { sniff } from '../support/sniffer.ts'
import { until } from '../support/until.ts'

/** A UDP datagram from 10.0.0.9 port 1000 to 10.0.0.1 port 7777 with the text "ofp!". */
const DATAGRAM =
  `${macOf(1)}020000000009080045000020000000004011${'66c0'}0a0000090a000001${'03e81e61000c0000'}6f667021`.replaceAll(
    ':',
    '',
  )

let network: OpenflowNetwork
const o13 = (...args: string[]) => network.ofctl('-O', 'OpenFlow13', ...args)
beforeAll(async () => {
  network = await OpenflowNetwork.create()
})
afterAll(() => network.close())

test('addresses are rewritten on the way there and back: a virtual address answers', async () => {
  await network.world.sh(`ip -n vm1 neigh replace 10.0.0.100 lladdr 02:00:00:00:00:64 dev eth0 nud permanent`)
  await network.flows([
    `table=0,ip,in_port=1,nw_dst=10.0.0.100,actions=mod_dl_dst:${macOf(2)},mod_nw_dst:10.0.0.2,load:0x5->NXM_NX_REG3[],resubmit(,4)`,
    'table=4,reg3=5,ip,actions=dec_ttl,output:2',
    'table=0,icmp,in_port=2,nw_src=10.0.0.2,actions=mod_dl_src:02:00:00:00:00:64,mod_nw_src:10.0.0.100,output:1',
  ])
  const sniffer = await sniff(network.world, 'vm2', { filter: ['icmp'], options: ['-v'] })
  expect(await network.ping(1, '10.0.0.100', 20)).toBe(20)
  await sniffer.saw(/ttl 63.*\n.*10\.0\.0\.1 > 10\.0\.0\.2: ICMP echo request/)
  await sniffer.stop()
})

test('ct() lets only answers back in', async () => {
  await network.flows([
    'table=0,icmp,actions=ct(table=1)',
    'table=1,icmp,in_port=1,ct_state=+trk+new,actions=ct(commit),output:2',
    'table=1,icmp,ct_state=+trk+est,in_port=1,actions=output:2',
    'table=1,icmp,ct_state=+trk+est,in_port=2,actions=output:1',
  ])
  expect(await network.ping(1, 2, 20)).toBe(20)
  expect(await network.ping(2, 1, 3)).toBe(0)
})

test('a packet-out leaves by its port, and what goes to the controller arrives whole', async () => {
  await network.flows(['udp,in_port=1,actions=controller'])
  const sniffer = await sniff(network.world, 'vm1', { filter: ['udp'], options: ['-X'] })
  await network.ofctl('packet-out', 'br0', `in_port=controller packet=${DATAGRAM} actions=output:1`)
  await sniffer.saw(/10\.0\.0\.9\.1000 > 10\.0\.0\.1\.7777: UDP, length 4[\s\S]*ofp!/)
  await sniffer.stop()
  const monitor = network.world.spawn(['ovs-ofctl', 'monitor', 'br0', '65534'])
  // What comes before the monitor has said that it wants packets is for nobody.
  await network.ofctl('show', 'br0')
  const sender = network.world.spawn(
    ['bash', '-c', 'while sleep 0.1; do echo hello > /dev/udp/10.0.0.2/7777; done'],
    { netns: 'vm1' },
  )
  await monitor.waitFor(
    /PACKET_IN.*total_len=48 in_port=1 \(via action\)[\s\S]*udp,.*nw_src=10\.0\.0\.1,nw_dst=10\.0\.0\.2.*tp_dst=7777/,
  )
  await sender.stop()
  await monitor.stop()
})

test('a ping that is paused goes on when ovs-ofctl resumes it', async () => {
  await network.flows(
    [
      'table=0,priority=9,icmp,actions=set_field:7->reg1,controller(pause,userdata=01.02),resubmit(,1)',
      'table=0,arp,actions=normal',
      'table=1,icmp,reg1=7,nw_dst=10.0.0.2,actions=output:2',
      'table=1,icmp,reg1=7,nw_dst=10.0.0.1,actions=output:1',
    ],
    '-O',
    'OpenFlow13',
  )
  expect(await network.ping(1, 2)).toBe(0)
  const monitor = network.world.spawn(['ovs-ofctl', 'monitor', 'br0', 'resume'])
  await until(async () => (await network.ping(1, 2)) === 1, 'a ping is answered')
  await monitor.waitFor(
    /NXT_PACKET_IN2[\s\S]*userdata=01\.02[\s\S]*continuation\.actions=[\s\S]*resubmit\(,1\)[\s\S]*NXT_RESUME/,
  )
  await monitor.stop()
})

test('groups: a copy for each of all, and the first that lives of fast failover', async () => {
  await o13('add-group', 'br0', 'group_id=1,type=all,bucket=actions=output:2,bucket=actions=output:3')
  await network.flows(['udp,in_port=1,actions=group:1'], '-O', 'OpenFlow13')
  const at = await Promise.all(['vm2', 'vm3'].map((vm) => sniff(network.world, vm, { filter: ['udp'] })))
  const send = () => network.world.sh('echo hello > /dev/udp/10.0.0.2/7777', { netns: 'vm1' })
  await send()
  for (const sniffer of at) await sniffer.saw(/7777: UDP/)
  await o13(
    'mod-group',
    'br0',
    'group_id=1,type=ff,bucket=watch_port:2,actions=output:2,bucket=watch_port:3,actions=output:3',
  )
  const arrived = () => at.map((sniffer) => sniffer.lines(/7777: UDP/).length)
  await send()
  await at[0].saw(/(7777: UDP[\s\S]*){2}/)
  expect(arrived()).toEqual([2, 1])
  expect(await o13('dump-group-stats', 'br0', 'group_id=1')).toMatch(
    /group_id=1,.*bucket0:packet_count=1,.*bucket1:packet_count=0/,
  )
  for (const sniffer of at) await sniffer.stop()
  await o13('del-groups', 'br0')
  expect(await network.dump('-O', 'OpenFlow13')).toEqual([])
})

test('a meter lets as many through as it says and counts the rest', async () => {
  await o13('add-meter', 'br0', 'meter=1,pktps,burst,stats,band=type=drop,rate=5,burst_size=5')
  await network.flows(
    ['icmp,in_port=1,actions=meter:1,output:2', 'icmp,in_port=2,actions=output:1'],
    '-O',
    'OpenFlow13',
  )
  const answered = await network.ping(1, 2, 100)
  expect(answered).toBeGreaterThan(0)
  expect(answered).toBeLessThan(100)
  const stats = await o13('meter-stats', 'br0', 'meter=1')
  expect(stats).toMatch(
    new RegExp(`packet_in_count:100 byte_in_count:9800 [\\s\\S]*0: packet_count:${100 - answered} `),
  )
  await o13('del-meters', 'br0')
})
