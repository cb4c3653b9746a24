/** Port forwards: a web server on vm1 is reached from outside, from the machine, and from inside (hairpin). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sniff } from '../support/sniffer.ts'
import { World } from '../support/world.ts'

const PUBLIC = '192.168.100.11'
let world: World

beforeAll(async () => {
  world = await World.create()
  await world.start({
    bridges: { 'br-in': {}, 'br-ex': { address: '192.168.100.21/24' } },
    hosts: {
      vm1: { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' } } },
      vm2: { interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.2/24', gateway: '10.0.0.254' } } },
      outside: { interfaces: { eth0: { bridge: 'br-ex', address: '192.168.100.1/24' } } },
    },
    routers: {
      rt: {
        interfaces: {
          eth0: { bridge: 'br-in', address: '10.0.0.254/24' },
          eth1: { bridge: 'br-ex', address: `${PUBLIC}/24` },
        },
        routes: [{ to: 'default', via: '192.168.100.1' }],
        nat: [
          { type: 'snat', source: '10.0.0.0/24', notDestination: '10.0.0.0/24', to: PUBLIC },
          { type: 'dnat', protocol: 'tcp', address: PUBLIC, port: 8080, to: '10.0.0.1:80' },
        ],
      },
    },
  })
  await world.sh('mkdir /run/www; head -c 20M /dev/urandom > /run/www/page')
  // In the foreground it says nothing when it listens; in the background it returns when it does.
  await world.sh('busybox httpd -p 80 -h /run/www', { netns: 'vm1' })
})
afterAll(() => world?.close())

const fetch = (from: string | undefined) =>
  world.sh(
    `set -o pipefail; curl -sS --fail --max-time 20 http://${PUBLIC}:8080/page | sha256sum`,
    from === undefined ? {} : { netns: from },
  )

test('curl reaches it from outside, from the machine and from the inside', async () => {
  const page = await world.sh('sha256sum < /run/www/page')
  for (const from of ['outside', undefined, 'vm2', 'vm1']) expect(await fetch(from), from).toBe(page)
})

test('from outside the server sees the real client; who comes from inside is seen as the router', async () => {
  const vm1 = await sniff(world, 'vm1', { filter: ['tcp', 'dst', 'port', '80'] })
  await fetch('outside')
  await vm1.saw(/IP 192\.168\.100\.1\.\d+ > 10\.0\.0\.1\.80: Flags \[S\]/)
  await fetch('vm2')
  await vm1.saw(/IP 192\.168\.100\.11\.\d+ > 10\.0\.0\.1\.80: Flags \[S\]/)
  // RFC 5382 REQ-9: a hairpinned packet has the external address, or answers would take a short cut.
  expect(await vm1.stop()).not.toMatch(/IP 10\.0\.0\.2\./)
})

test('what is not forwarded is not reached', async () => {
  const curl = (port: number) =>
    world.exec(['curl', '-sS', '--max-time', '3', `http://${PUBLIC}:${port}/page`], { netns: 'outside' })
  const vm1 = await sniff(world, 'vm1', { filter: ['tcp', 'and', 'dst', 'port', '8081'] })
  expect((await curl(8081)).code).not.toBe(0)
  expect((await world.exec(['ping', '-c', '1', '-W', '1', '10.0.0.1'], { netns: 'outside' })).code).not.toBe(
    0,
  )
  expect((await vm1.stop()).trim()).toBe('')
})

test('the forward is among the connections, with both addresses', async () => {
  await fetch('outside')
  const connections = JSON.parse((await world.cli(['show', 'nat', '--json'])).stdout)
  expect(connections).toContainEqual(
    expect.objectContaining({
      protocol: 'tcp',
      source: expect.stringMatching(/^192\.168\.100\.1:/),
      destination: `${PUBLIC}:8080`,
      replySource: '10.0.0.1:80',
    }),
  )
})
