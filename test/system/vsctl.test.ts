/** Every command of ovs-vsctl(8), unmodified, on a switch that was started with nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start(undefined)
})
afterAll(() => world.close())

/** Standard output of a line as a person types it; it must succeed. */
const vsctl = (line: string) => world.ok(['bash', '-c', `ovs-vsctl --timeout=10 ${line}`])
const fails = async (line: string) => {
  const { code, stderr } = await world.exec(['bash', '-c', `ovs-vsctl --timeout=10 ${line}`])
  expect(code).not.toBe(0)
  return stderr
}
const lines = async (line: string) => (await vsctl(line)).split('\n').slice(0, -1)

test('bridges come and go, and with them their devices', async () => {
  await vsctl('init')
  await vsctl('add-br br0 -- add-br br1')
  expect(await world.ok(['ip', '-o', 'link', 'show', 'br0'])).toContain('UP')
  expect(await lines('list-br')).toEqual(['br0', 'br1'])
  expect(await fails('add-br br0')).toContain('a bridge named br0 already exists')
  await vsctl('--may-exist add-br br0')
  await vsctl('br-exists br0')
  expect((await world.exec(['ovs-vsctl', 'br-exists', 'nobr'])).code).toBe(2)
  await vsctl('del-br br1')
  expect((await world.exec(['ip', 'link', 'show', 'br1'])).code).not.toBe(0)
  expect(await fails('del-br br1')).toContain('no bridge named br1')
  await vsctl('--if-exists del-br br1')
})

test('ports come and go; what is wrong with one is said at once and by the row', async () => {
  await world.sh('ip link add s0 type veth peer name s1')
  await vsctl('add-port br0 s0 tag=7 -- set interface s0 ofport_request=5')
  expect(await vsctl('get interface s0 ofport admin_state error')).toBe('5\nup\n[]\n')
  const flow = await world.ok(['ovs-ofctl', 'show', 'br0'])
  expect(flow).toContain(' 5(s0)')
  expect(await lines('list-ports br0')).toEqual(['s0'])
  expect(await lines('list-ifaces br0')).toEqual(['s0'])
  expect(await vsctl('port-to-br s0')).toBe('br0\n')
  expect(await vsctl('iface-to-br s0')).toBe('br0\n')
  await vsctl('--may-exist add-port br0 s0')
  const { code, stderr } = await world.exec(['ovs-vsctl', '--timeout=10', 'add-port', 'br0', 'late'])
  expect(code).toBe(0)
  expect(stderr).toContain(
    "Error detected while setting up 'late': could not open network device late (No such device)",
  )
  expect(await vsctl('get interface late ofport')).toBe('-1\n')
  await world.sh('ip link add late type veth peer name late1')
  await vsctl('wait-until interface late ofport=1')
  expect(await vsctl('get interface late error')).toBe('[]\n')
  await vsctl('del-port br0 late -- --if-exists del-port br0 late')
  expect(await fails('del-port br0 late')).toContain('no port named late')
  // A device that vanishes is missed, one that returns is taken again.
  await world.sh('ip link del s0')
  await vsctl('wait-until interface s0 ofport=-1')
  await world.sh('ip link add s0 type veth peer name s1')
  await vsctl('wait-until interface s0 ofport=5')
})

test('fake bridges are VLANs of their parent', async () => {
  await vsctl('add-br fake br0 10')
  expect(await vsctl('br-to-vlan fake -- br-to-parent fake -- br-to-vlan br0 -- br-to-parent br0')).toBe(
    '10\nbr0\n0\nbr0\n',
  )
  expect(await lines('list-br')).toEqual(['br0', 'fake'])
  expect(await lines('--real list-br')).toEqual(['br0'])
  expect(await lines('--fake list-br')).toEqual(['fake'])
  await vsctl('add-port fake t0 -- set interface t0 type=tap')
  expect(await lines('list-ports fake')).toEqual(['t0'])
  expect(await vsctl('get port t0 tag')).toBe('10\n')
  expect(await world.ok(['ip', '-o', 'link', 'show', 'fake'])).toContain('UP')
  await vsctl('del-br fake')
  expect(await lines('list-br')).toEqual(['br0'])
  expect((await world.exec(['ip', 'link', 'show', 't0'])).code).not.toBe(0)
})

test('rows are listed, found, created, set, cleared, waited for and destroyed', async () => {
  expect(await vsctl('--columns=name,type list interface br0')).toBe(
    'name                : br0\ntype                : internal\n',
  )
  await vsctl('set bridge br0 other_config:mac-aging-time=60 external_ids:a=b')
  expect(await vsctl('get bridge br0 other_config:mac-aging-time external_ids')).toBe('"60"\n{a=b}\n')
  await vsctl('add port s0 trunks 1,2 -- remove port s0 tag 7')
  expect(await vsctl('get port s0 trunks tag')).toBe('[1, 2]\n[]\n')
  expect(await lines('--bare --columns=name find port trunks=1,2')).toEqual(['s0'])
  await vsctl('clear port s0 trunks')
  await vsctl('wait-until port s0 trunks=[]')
  expect(await fails('--timeout=1 wait-until port s0 tag=1')).toContain('Alarm clock')
  await vsctl(
    'set port s0 qos=@q -- --id=@q create qos type=linux-htb other_config:max-rate=10000000 queues:0=@a -- --id=@a create queue other_config:min-rate=1000000',
  )
  expect(await world.ok(['ovs-ofctl', 'queue-get-config', 'br0', 's0'])).toContain('min_rate:10.0%')
  await vsctl('clear port s0 qos -- --all destroy qos -- --all destroy queue')
  expect((await vsctl('list qos -- list queue')).trim()).toBe('')
  await vsctl('br-set-external-id br0 bridge-id x -- br-set-external-id br0 a')
  expect(await vsctl('br-get-external-id br0')).toBe('bridge-id=x\n')
  expect(await fails('set port s0 tag=4096')).toContain('not in the valid range 0 to 4095')
  await vsctl('--no-wait set bridge br0 external_ids:late=1')
})

test('controllers, fail mode, managers, keys and attachments', async () => {
  const controller = world.spawn(['ovs-testcontroller', 'punix:/run/c.sock'])
  await vsctl('set-controller br0 unix:/run/c.sock -- set-fail-mode br0 secure')
  expect(await vsctl('get-controller br0 -- get-fail-mode br0')).toBe('unix:/run/c.sock\nsecure\n')
  await vsctl('wait-until controller br0 is_connected=true role=other status:state=ACTIVE')
  await controller.stop()
  await vsctl('wait-until controller br0 is_connected=false')
  await vsctl('del-controller br0 -- del-fail-mode br0')
  expect(await vsctl('get-controller br0 -- get-fail-mode br0')).toBe('')
  await vsctl('set-manager ptcp:6640:127.0.0.1')
  expect(await vsctl('get-manager')).toBe('ptcp:6640:127.0.0.1\n')
  expect(await world.ok(['ovsdb-client', 'list-dbs', 'tcp:127.0.0.1:6640'])).toBe(
    'Lab\nOpen_vSwitch\n_Server\n',
  )
  await vsctl('del-manager')
  await vsctl('--bootstrap set-ssl /k.pem /c.pem /ca.pem')
  expect(await vsctl('get-ssl')).toBe(
    'Private key: /k.pem\nCertificate: /c.pem\nCA Certificate: /ca.pem\nBootstrap: true\n',
  )
  await vsctl('del-ssl')
  await vsctl(
    'add-aa-mapping br0 100 10 -- get-aa-mapping br0 -- del-aa-mapping br0 100 10 -- clear bridge br0 auto_attach',
  )
  await vsctl('emer-reset')
  expect(await vsctl('get bridge br0 other_config')).toBe('{}\n')
})

test('what is not served is said in the status of its row', async () => {
  await vsctl(
    'set bridge br0 stp_enable=true -- set port s0 lacp=active -- set interface s0 lldp:enable=true',
  )
  expect(await vsctl('get bridge br0 status:not_served')).toBe('stp_enable\n')
  expect(await vsctl('get port s0 status:not_served')).toBe('lacp\n')
  expect(await vsctl('get interface s0 status:not_served')).toBe('lldp\n')
  await vsctl('add-port br0 g0 -- set interface g0 type=gre options:remote_ip=1.2.3.4').catch(() => '')
  expect(await vsctl('get interface g0 error')).toContain('interfaces of type \\"gre\\" are not served')
  await vsctl(
    'del-port g0 -- set bridge br0 stp_enable=false -- clear port s0 lacp -- clear interface s0 lldp',
  )
  expect(await vsctl('get bridge br0 status -- get port s0 status')).toBe('{}\n{}\n')
})

test('a device of the machine is given an MTU but no MAC address', async () => {
  const before = await vsctl('get interface s0 mac_in_use')
  await vsctl('set interface s0 mtu_request=1400 mac=\\"02:00:00:00:00:77\\"')
  expect(await vsctl('--if-exists get interface s0 mtu mac_in_use status:not_served')).toBe(
    `1400\n${before}\n`,
  )
  expect(await world.ok(['ip', 'link', 'show', 's0'])).toContain(' mtu 1400 ')
  await vsctl('clear interface s0 mtu_request mac')
  expect(await vsctl('get interface s0 mtu')).toBe('1400\n')
})

test('show tells all of it', async () => {
  // Ports stand in the order of their UUIDs, which are random.
  const [, bridge, ...rest] = await lines('show')
  expect(bridge).toBe('    Bridge br0')
  const ports = rest.slice(0, -1).join('\n').split('        Port ').sort()
  expect(ports.map((port) => port.trimEnd())).toEqual([
    '',
    'br0\n            Interface br0\n                type: internal',
    's0\n            Interface s0',
  ])
  expect(rest.at(-1)).toBe('    ovs_version: "3.1.0"')
})

test('flow tables have names and limits while the database says so', async () => {
  await vsctl('--may-exist add-br br0')
  const ofctl = (command: string) => world.exec(['bash', '-c', `ovs-ofctl ${command}`])
  const add = (priority: number) => ofctl(`add-flow br0 table=7,priority=${priority},actions=drop`)
  await vsctl('set bridge br0 flow_tables:7=@t -- --id=@t create flow_table name=first flow_limit=2')
  expect((await ofctl('dump-tables br0')).stdout).toMatch(
    /table 7 \("first"\):\s+active=0.*\s+max_entries=2\n/,
  )
  for (const priority of [1, 2]) expect((await add(priority)).code).toBe(0)
  expect((await add(3)).stderr).toContain('OFPFMFC_TABLE_FULL')
  await vsctl('set flow_table first overflow_policy=evict')
  expect((await ofctl('add-flow br0 table=7,priority=4,idle_timeout=60,actions=drop')).stderr).toContain(
    'FULL',
  )
  await vsctl('clear bridge br0 flow_tables')
  expect((await add(3)).code).toBe(0)
  expect((await ofctl('dump-tables br0')).stdout).not.toContain('first')
})
