/** Where the database lies: in a file of ours, in a configuration that is exported, at a server elsewhere. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { TlsFiles } from '../../src/net/tls.ts'
import { makePeers } from '../support/certificates.ts'
import { type Background, World } from '../support/world.ts'

let world: World
let daemon: Background | undefined
beforeAll(async () => {
  world = await World.create()
})
afterEach(async () => {
  await daemon?.stop()
  daemon = undefined
})
afterAll(() => world.close())

const vsctl = (...words: string[]) => world.ok(['ovs-vsctl', '--timeout=10', ...words])
const list = async () => (await vsctl('list-ports', 'br0')).split('\n').slice(0, -1)

test('a database file keeps what ovs-vsctl has made, also when the switch is killed', async () => {
  const file = `${world.dir}/conf.db`
  daemon = await world.start(undefined, ['--database', file])
  await vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p2', '--', 'set', 'interface', 'p2', 'type=tap')
  await vsctl('add-port', 'br0', 'p1', 'tag=10', '--', 'set', 'interface', 'p1', 'type=tap')
  const ofports = await vsctl('get', 'interface', 'p1', 'ofport', '--', 'get', 'interface', 'p2', 'ofport')
  await daemon.stop('SIGKILL')
  daemon = await world.start(undefined, ['--database', file])
  expect(await list()).toEqual(['p1', 'p2'])
  expect(await vsctl('get', 'port', 'p1', 'tag')).toBe('10\n')
  expect(await world.ok(['ip', '-o', 'link', 'show', 'p1'])).toContain('UP')
  expect(await vsctl('get', 'interface', 'p1', 'ofport', '--', 'get', 'interface', 'p2', 'ofport')).toBe(
    ofports,
  )
  await daemon.stop()
  daemon = undefined
  const query = ['Open_vSwitch', { op: 'select', table: 'Bridge', where: [], columns: ['name'] }]
  expect(await world.ok(['ovsdb-tool', 'query', file, JSON.stringify(query)])).toContain('br0')
})

test('what is exported starts the same network again', async () => {
  daemon = await world.start({
    bridges: { br0: { ports: { p1: { tag: 10 } } } },
    hosts: { vm1: { interfaces: { eth0: { bridge: 'br0', address: '10.0.0.1/24' } } } },
    routers: {
      rt: {
        interfaces: {
          eth0: { bridge: 'br0', address: '10.0.0.254/24', dhcp: { range: ['10.0.0.10', '10.0.0.20'] } },
        },
      },
    },
  })
  await vsctl('set', 'port', 'vm1.eth0', 'tag=20', '--', 'set', 'port', 'p1', 'tag=30')
  await vsctl('add-br', 'br1', '--', 'set-fail-mode', 'br1', 'secure')
  const exported = (await world.cli(['export'])).stdout
  expect(JSON.parse(exported)).toEqual({
    bridges: { br0: { ports: { p1: { tag: 30 } } }, br1: { internal: true, failMode: 'secure' } },
    hosts: { vm1: { interfaces: { eth0: { bridge: 'br0', address: '10.0.0.1/24', tag: 20 } } } },
    routers: {
      rt: {
        interfaces: {
          eth0: { bridge: 'br0', address: '10.0.0.254/24', dhcp: { range: ['10.0.0.10', '10.0.0.20'] } },
        },
      },
    },
  })
  await daemon.stop()
  daemon = await world.start(await world.file('exported.json', exported))
  expect((await world.cli(['export'])).stdout).toBe(exported)
  expect(await vsctl('get', 'port', 'vm1.eth0', 'tag')).toBe('20\n')
  // What ovs-vsctl has changed is replaced by a reload.
  await vsctl('set', 'port', 'p1', 'tag=40', '--', 'add-br', 'br2')
  expect((await world.cli(['reload'])).code).toBe(0)
  expect((await world.cli(['export'])).stdout).toBe(exported)
  expect(await vsctl('list-br')).toBe('br0\nbr1\n')
})

test('a database server elsewhere is followed, alone or clustered, by TLS too, also when it ends and returns', async () => {
  const schema = '/usr/share/openvswitch/vswitch.ovsschema'
  await world.ok(['ovsdb-tool', 'create-cluster', `${world.dir}/cluster.db`, schema, 'tcp:127.0.0.1:6644'])
  const keys = await makePeers(`${world.dir}/keys`)
  const keyOptions = ({ privateKey, certificate, caCert }: TlsFiles) => [
    `--private-key=${privateKey}`,
    `--certificate=${certificate}`,
    `--ca-cert=${caCert}`,
  ]
  const serve = async () => {
    const server = world.spawn([
      'ovsdb-server',
      `${world.dir}/cluster.db`,
      '--remote=ptcp:6640:127.0.0.1',
      '--remote=pssl:6641:127.0.0.1',
      ...keyOptions(keys.controller),
      `--peer-ca-cert=${keys.switch.caCert}`,
      '--unixctl=none',
    ])
    await world.ok(['ovsdb-client', 'wait', 'tcp:127.0.0.1:6640', 'Open_vSwitch', 'connected'])
    return server
  }
  const remote = '--db=tcp:127.0.0.1:6640'
  let server = await serve()
  await vsctl(remote, '--no-wait', 'init')
  // Whom the server is signed by is learned from the server.
  const learned = `${world.dir}/keys/learned.pem`
  const [privateKey = '', certificate = ''] = keyOptions(keys.switch)
  const bootstrap = `--bootstrap-ca-cert=${learned}`
  daemon = await world.start(undefined, ['--db=ssl:127.0.0.1:6641', privateKey, certificate, bootstrap])
  const lines = (file: string) => readFileSync(file, 'latin1').trim()
  expect(lines(learned)).toContain(lines(keys.switch.caCert))
  await vsctl(
    remote,
    'add-br',
    'br0',
    '--',
    'add-port',
    'br0',
    'p1',
    '--',
    'set',
    'interface',
    'p1',
    'type=tap',
  )
  expect(await vsctl(remote, 'get', 'interface', 'p1', 'ofport', 'admin_state')).toBe('1\nup\n')
  await server.stop()
  server = await serve()
  await vsctl(remote, 'add-port', 'br0', 'p2', '--', 'set', 'interface', 'p2', 'type=tap')
  expect(
    await vsctl(remote, 'get', 'interface', 'p1', 'ofport', '--', 'get', 'interface', 'p2', 'ofport'),
  ).toBe('1\n2\n')
  // Hosts and routers stay in a database of ours.
  expect(await world.ok(['ovsdb-client', 'list-dbs'])).toBe('Lab\n_Server\n')
  await server.stop()
})

test('ovs-vswitchd is ready though nothing is in its database yet', async () => {
  const dir = `${world.dir}/empty`
  const program = new URL('../../bin/openvswitch/ovs-vswitchd', import.meta.url).pathname
  const said = await world.sh(`mkdir ${dir}; cd ${dir}; export OVS_RUNDIR=${dir} OVS_LOGDIR=${dir}
    ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema
    ovsdb-server conf.db --remote=punix:${dir}/db.sock --detach --pidfile
    timeout 20 ${program} --detach --pidfile --enable-dummy --disable-system && echo ready
    ovs-appctl exit; ovs-appctl -t ovsdb-server exit`)
  expect(JSON.stringify(said)).toContain('ready')
})
