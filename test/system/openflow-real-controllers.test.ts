/** Controllers that others have written make switches of our bridges: ovs-testcontroller and os-ken. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { OpenflowNetwork } from '../support/openflow-network.ts'
import { until } from '../support/until.ts'
import { ROOT, type World } from '../support/world.ts'

const APPLICATION = join(ROOT, 'test', 'support', 'programs', 'learning_controller.py')
const CONTROLLER = { target: 'tcp:127.0.0.1:6653', inactivityProbe: 1000, maxBackoff: 1000 }

let network: OpenflowNetwork
afterEach(() => network.close())

/** Not by OpenFlow 1.5: there ovs-testcontroller 3.1 leaves a part of its packet-outs to chance. */
const testcontroller = (...args: string[]) =>
  network.world.spawn(['ovs-testcontroller', '-O', 'OpenFlow13', '--unixctl=none', ...args])

/** Resolves when the bridge is what a controller makes of it: everybody reaches everybody. */
async function switches(): Promise<void> {
  await until(async () => (await network.ping(1, 2)) === 1, 'the controller lets a ping through', 15_000)
  // An answer that has come is not waited for: all have time, also where other programs keep the controller from its work.
  expect(await network.ping(1, 2, 20, '-W', '10')).toBe(20)
  expect(await network.ping(3, 1, 20, '-W', '10')).toBe(20)
}

test('ovs-testcontroller as a hub, without flows: each packet goes through the controller', async () => {
  network = await OpenflowNetwork.create({ bridge: { controllers: [CONTROLLER] } })
  testcontroller('-n', '-H', 'ptcp:6653:127.0.0.1')
  await switches()
  expect(await network.dump('-O', 'OpenFlow13')).not.toContain('icmp')
})

test.each(['10', '14', '15'])(
  'an os-ken application for OpenFlow %s makes a learning switch',
  async (version) => {
    network = await OpenflowNetwork.create({
      bridge: { controllers: [CONTROLLER], datapathId: '00000000000000aa' },
    })
    const manager = network.world.spawn(
      [
        '/usr/bin/osken-manager',
        '--ofp-listen-host',
        '127.0.0.1',
        '--ofp-tcp-listen-port',
        '6653',
        APPLICATION,
      ],
      { env: { OPENFLOW: version, PYTHONDONTWRITEBYTECODE: '1' } },
    )
    await manager.waitFor(/^switch 00000000000000aa$/m)
    await switches()
    expect(manager.output).toMatch(/^flow 02:00:00:00:00:02 -> 02:00:00:00:00:01$/m)
    expect(manager.output).not.toMatch(/error type|Traceback/)
    const flows = await network.ofctl('-O', 'OpenFlow15', 'dump-flows', 'br0')
    expect(flows).toMatch(
      /n_packets=[12]\d, .*in_port=\S+,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 actions=output:/,
    )
  },
)

const failedOpen = async () =>
  (await network.dump('-O', 'OpenFlow13')).some((flow) => flow.endsWith('actions=NORMAL'))
/** A controller has removed the flow of a bridge on its own, if it was there; and the first ping brings it flows. */
const programmed = async () => {
  await network.ping(1, 2)
  return (await network.dump('-O', 'OpenFlow13')).some((flow) => /icmp.*actions=output:/.test(flow))
}

test('the controller dies and comes back: standalone, the bridge switches by itself meanwhile', async () => {
  network = await OpenflowNetwork.create({
    bridge: { controllers: [{ ...CONTROLLER, inactivityProbe: 300 }], failMode: 'standalone' },
  })
  const first = testcontroller('ptcp:6653:127.0.0.1')
  await until(programmed, 'the controller is there')
  await switches()
  await first.stop('SIGKILL')
  await until(failedOpen, 'it fails open')
  expect(await network.ping(1, 2, 10)).toBe(10)
  testcontroller('ptcp:6653:127.0.0.1')
  await until(programmed, 'it is told again')
  await switches()
})

test('of two controllers the second takes over when the first dies; snoop hears what is said', async () => {
  const second = { ...CONTROLLER, target: 'tcp:127.0.0.1:6654' }
  network = await OpenflowNetwork.create({ bridge: { controllers: [CONTROLLER, second] } })
  const one = testcontroller('ptcp:6653:127.0.0.1')
  testcontroller('ptcp:6654:127.0.0.1')
  await switches()
  await one.stop('SIGKILL')
  const snoop = network.world.spawn(['ovs-ofctl', 'snoop', 'br0'])
  await snoop.waitFor(/ECHO_REQUEST/)
  await network.ofctl('del-flows', 'br0', 'icmp')
  await switches()
  await snoop.waitFor(/PACKET_IN[\s\S]*icmp[\s\S]*FLOW_MOD/)
})

/** A CA, and a key and certificate of each name that it signed. */
async function certificates(world: World, ...names: string[]): Promise<void> {
  const lines = [
    'umask 077',
    'openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem',
  ]
  for (const name of names) {
    lines.push(
      `openssl req -newkey ed25519 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
      `openssl x509 -req -days 2 -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out ${name}.pem`,
    )
  }
  await world.sh(`exec 2>&1; cd ${world.dir}; ${lines.join('; ')}`)
}

test('over TLS each side takes only who the CA has signed', async () => {
  network = await OpenflowNetwork.create(async (world) => {
    await certificates(world, 'switch', 'controller')
    await world.sh(
      `exec 2>&1; cd ${world.dir}; openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=no -keyout no.key -out no.pem`,
    )
    const ssl = { privateKey: 'switch.key', certificate: 'switch.pem', caCert: 'ca.pem' }
    const controllers = [{ ...CONTROLLER, target: 'ssl:127.0.0.1:6653' }, 'pssl:6655:127.0.0.1']
    return { bridge: { controllers }, top: { ssl } }
  })
  const at = (file: string) => join(network.world.dir, file)
  const keys = (name: string) => ['-p', at(`${name}.key`), '-c', at(`${name}.pem`), '-C', at('ca.pem')]
  const impostor = testcontroller(...keys('no'), 'pssl:6653:127.0.0.1')
  await impostor.waitFor(/SSL_accept|SSL_read|stream_ssl\|WARN/)
  await impostor.stop('SIGKILL')
  expect(await network.ping(1, 2)).toBe(0)
  testcontroller(...keys('controller'), 'pssl:6653:127.0.0.1')
  await switches()
  const show = (name: string) => network.tryOfctl(...keys(name), 'show', 'ssl:127.0.0.1:6655')
  expect((await show('controller')).stdout).toContain('1(vm1.eth0)')
  expect((await show('no')).code).not.toBe(0)
})
