/** The lab as it is built by hand: two bridges, a cable between them, and a DHCP server on a host of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start(undefined)
})
afterAll(() => world.close())

const type = (line: string) => world.ok(['bash', '-ec', line])
const pings = async (host: string, address: string) =>
  (await world.exec(['ping', '-c', '1', '-W', '1', address], { netns: host })).code === 0

test('two bridges joined by a cable are one network, and a VLAN parts it', async () => {
  await type('ovs-vsctl add-br br0; ovs-vsctl add-br br1')
  await type('ip link add s0 type veth peer name s1')
  await type('ovs-vsctl add-port br0 s0; ovs-vsctl add-port br1 s1')
  for (const [host, bridge, vif, address] of [
    ['h0', 'br0', 'vif0', '10.0.0.1/24'],
    ['h1', 'br1', 'vif1', '10.0.0.2/24'],
  ]) {
    await type(`ip netns add ${host}; ip link add ${vif} type veth peer name eth0 netns ${host}`)
    await type(`ip -n ${host} address add ${address} dev eth0; ip -n ${host} link set eth0 up`)
    await type(`ovs-vsctl add-port ${bridge} ${vif}`)
  }
  expect(await pings('h0', '10.0.0.2')).toBe(true)
  await type('ovs-vsctl set port vif1 tag=10')
  expect(await pings('h0', '10.0.0.2')).toBe(false)
  await type('ovs-vsctl remove port vif1 tag 10')
  expect(await pings('h0', '10.0.0.2')).toBe(true)
})

test('a client gets its lease from dnsmasq through the bridges', async () => {
  await type('ip netns add r0; ip link add sif0 type veth peer name rif0; ip link set rif0 netns r0')
  await type(
    'ip -n r0 address add 10.0.0.254/24 dev rif0; ip -n r0 link set rif0 up; ip -n r0 link set lo up',
  )
  await type('ovs-vsctl add-port br0 sif0')
  const server = world.spawn(
    [
      'dnsmasq',
      '--keep-in-foreground',
      '--port=0',
      '--conf-file=/dev/null',
      '--interface=rif0',
      '--dhcp-range=10.0.0.100,10.0.0.109,1h',
      '--dhcp-leasefile=/run/leases',
      '--pid-file=/run/dnsmasq.pid',
      '--user=root',
      '--no-ping',
    ],
    { netns: 'r0' },
  )
  await type('ip -n h1 address flush dev eth0')
  await world.ok(['udhcpc', '-i', 'eth0', '-n', '-q', '-t', '10', '-T', '1', '-s', '/bin/true'], {
    netns: 'h1',
  })
  expect(await type('cat /run/leases')).toMatch(/ 10\.0\.0\.10\d /)
  await server.stop()
})
