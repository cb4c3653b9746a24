import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import { transitName } from '../../../src/reconcile/specs.ts'
import { network } from '../../support/arbitrary-network.ts'
import { ROOT } from '../../support/world.ts'

function load(text: string) {
  const result = loadConfig(text)
  if (!result.ok) throw new Error(result.errors.map((error) => error.message).join('\n'))
  return result.network
}

test('keys are unique, and what an element needs comes before it', () => {
  fc.assert(
    fc.property(network, (net) => {
      const seen = new Set<string>()
      for (const element of elementsOf(net)) {
        expect(seen.has(element.key)).toBe(false)
        for (const key of element.needs) expect(seen.has(key)).toBe(true)
        seen.add(element.key)
      }
    }),
  )
})

test('the lab, element by element', () => {
  const lab = load(readFileSync(join(ROOT, 'examples/netns-lab.json'), 'utf8'))
  expect(elementsOf(lab).map((element) => element.title)).toEqual([
    'bridge br-in',
    'bridge br-ex',
    'host vm1',
    'host vm2',
    'host outside',
    'router rt',
    'interface br-ex on br-ex',
    'rt eth0 on br-in, 10.0.0.254/24',
    'rt eth1 on br-ex, 192.168.100.11/24',
    'vm1 eth0 on br-in',
    'vm2 eth0 on br-in',
    'outside eth0 on br-ex',
    'address 192.168.100.21/24 of br-ex',
    'address 10.0.0.1/24 of vm1 eth0',
    'route default of vm1 by 10.0.0.254',
    'address 203.0.113.1/32 of outside lo',
    'address 192.168.100.1/24 of outside eth0',
    'DHCP server on rt eth0',
    'DHCP client on vm2 eth0',
  ])
})

test('routes of a DHCP host wait for the lease, those by an address of its own do not', () => {
  const net = load(`{
    "bridges": { "br0": {} },
    "hosts": { "a": {
      "interfaces": { "eth0": { "bridge": "br0", "address": "10.0.0.1/24" }, "eth1": { "bridge": "br0", "address": "dhcp" } },
      "routes": [ { "to": "10.7.0.0/16", "via": "10.0.0.9" }, { "to": "10.8.0.0/16", "via": "10.1.0.9" } ] } } }`)
  const elements = elementsOf(net)
  const routes = elements.filter((element) => element.kind === 'route')
  expect(routes.map((element) => element.title)).toEqual(['route 10.7.0.0/16 of a by 10.0.0.9'])
  const [client] = elements.filter((element) => element.kind === 'dhcp-client')
  expect(client).toMatchObject({ client: { host: 'a', interface: 'eth1', resolver: true } })
  expect(client?.kind === 'dhcp-client' && client.client.routes).toHaveLength(1)
})

test('the name a TAP has on its way fits an interface and differs from port to port', () => {
  const names = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const name = transitName(`host-${i}.eth0`)
    expect(name).toMatch(/^vs[0-9a-f]{13}$/)
    names.add(name)
  }
  expect(names.size).toBe(10_000)
})
