import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import type { Network } from '../../../src/config/network.ts'
import { portFacts, portsOf } from '../../../src/daemon/port-facts.ts'
import { checkPrivileges, checkTunDevice } from '../../../src/daemon/preflight.ts'

function load(text: string): Network {
  const result = loadConfig(text)
  if (!result.ok) throw new Error(result.errors.map((error) => error.message).join('\n'))
  return result.network
}

const NET = load(`{
  "bridges": { "br0": { "address": "10.0.0.9/24", "ports": { "p1": { "device": "tap7", "tag": 5 }, "x": { "type": "patch", "peer": "y" } } },
               "br1": { "ports": { "y": { "type": "patch", "peer": "x" } } } },
  "hosts": { "a": { "interfaces": { "eth0": { "bridge": "br0" }, "eth1": { "bridge": "br1" } } } },
  "routers": { "rt": { "interfaces": { "in": { "bridge": "br0", "address": "10.0.0.254/24" } } } } }`)

test('every port of the network is known with its kind, device and owner', () => {
  const facts = portFacts(NET)
  expect([...facts].map(([name, fact]) => [name, fact.kind, fact.device ?? fact.owner])).toEqual([
    ['br0', 'internal', 'br0'],
    ['p1', 'tap', 'tap7'],
    ['x', 'patch', undefined],
    ['y', 'patch', undefined],
    ['a.eth0', 'host', 'a'],
    ['a.eth1', 'host', 'a'],
    ['rt.in', 'router', 'rt'],
  ])
  expect(facts.get('p1')?.vlan).toMatchObject({ mode: 'access', tag: 5 })
})

test('a capture target is a port, a host with all its interfaces, or one of them', () => {
  expect(portsOf(NET, 'p1')).toEqual(['p1'])
  expect(portsOf(NET, 'a')).toEqual(['a.eth0', 'a.eth1'])
  expect(portsOf(NET, 'a:eth1')).toEqual(['a.eth1'])
  expect(portsOf(NET, 'rt:in')).toEqual(['rt.in'])
  expect(portsOf(NET, 'a.eth0')).toEqual(['a.eth0'])
  expect(portsOf(NET, 'a:eth9')).toEqual([])
  expect(portsOf(NET, 'nobody')).toEqual([])
})

test('privileges are named that are missing', () => {
  expect(() => checkPrivileges('CapEff:\t000001ffffffffff\n')).not.toThrow()
  expect(() => checkPrivileges('CapEff:\t0000000000003000\n')).toThrow('lacks (CAP_SYS_ADMIN)')
  expect(() => checkPrivileges('CapEff:\t0000000000000000\n')).toThrow(
    'lacks (CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN)',
  )
})

test('without the TAP driver the hint says how to get it', () => {
  expect(() => checkTunDevice('/nonexistent/tun')).toThrow(
    expect.objectContaining({ code: 6, hint: expect.stringContaining('modprobe tun') }),
  )
})
