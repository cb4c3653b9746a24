import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Database } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import type { Snapshot } from '../../../protocols/ovsdb/replica.ts'
import { snapshotDifference } from '../../../protocols/ovsdb/replica.ts'
import { compareNames } from '../../../src/compare-names.ts'
import type { Network, Port } from '../../../src/config/network.ts'
import { concernsConfiguration } from '../../../src/vswitch/config-changes.ts'
import { fillOperations } from '../../../src/vswitch/fill.ts'
import { NetworkReader } from '../../../src/vswitch/network-reader.ts'
import type { Problem } from '../../../src/vswitch/row-reader.ts'
import { rowsOf } from '../../../src/vswitch/rows-of.ts'
import { network } from '../../support/arbitrary-network.ts'
import { done, empty } from '../../support/databases.ts'

interface Databases {
  readonly ovs: Database
  readonly lab: Database
}

const EMPTY: Databases = { ovs: empty('ovs'), lab: empty('lab') }

function filled({ ovs, lab }: Databases, wanted: Network): Databases {
  const rows = rowsOf(wanted)
  return { ovs: done(ovs, fillOperations(ovs, rows.ovs)), lab: done(lab, fillOperations(lab, rows.lab)) }
}

function read({ ovs, lab }: Databases): Network {
  const { network, problems } = new NetworkReader().read(ovs, lab)
  expect(problems).toEqual([])
  return network
}

function named<T extends { readonly name: string }>(things: readonly T[]): T[] {
  return [...things].sort((a, b) => compareNames(a.name, b.name))
}

/** With the lists that databases keep without order in that of names. */
function ordered({ bridges, hosts, routers, ...rest }: Network): Network {
  return {
    bridges: named(bridges).map((bridge) => ({ ...bridge, ports: named(bridge.ports) })),
    hosts: named(hosts).map((host) => ({ ...host, interfaces: named(host.interfaces) })),
    routers: named(routers).map((router) => ({ ...router, interfaces: named(router.interfaces) })),
    ...rest,
  }
}

test('a network is read back from the rows that databases are filled with', () => {
  fc.assert(
    fc.property(network, (wanted) => {
      expect(read(filled(EMPTY, wanted))).toEqual(ordered(wanted))
    }),
    { numRuns: 60 },
  )
})

test('databases that are filled anew keep the rows of what stays, and nothing of what goes', () => {
  fc.assert(
    fc.property(network, network, (first, second) => {
      const before = filled(EMPTY, first)
      const after = filled(before, second)
      expect(read(after)).toEqual(ordered(second))
      const rows = rowsOf(second)
      expect(fillOperations(after.ovs, rows.ovs)).toEqual([])
      expect(fillOperations(after.lab, rows.lab)).toEqual([])
      const ports = (databases: Databases) =>
        new Map(
          databases.ovs.tables
            .get('Port')!
            .rows.values()
            .map(({ uuid, columns }) => [columns['name']!.keys[0], uuid]),
        )
      const known = ports(before)
      for (const [name, uuid] of ports(after)) if (known.has(name)) expect(uuid).toBe(known.get(name))
      for (const table of ['QoS', 'Queue', 'IPFIX', 'NAT_Rule', 'Flow_Sample_Collector_Set']) {
        const count = ({ ovs, lab }: Databases) => (ovs.tables.get(table) ?? lab.tables.get(table))!.rows.size
        expect(count(after)).toBe(count(filled(EMPTY, second)))
      }
    }),
    { numRuns: 40 },
  )
})

/** Rows that are set as nothing but a person would. */
const CLUMSY: readonly (readonly [table: string, columns: Record<string, Json>])[] = [
  ['Port', { tag: 7 }],
  ['Port', { other_config: ['map', [['priority-tags', 'perhaps']]] }],
  ['Port', { qos: ['set', []] }],
  ['Interface', { type: 'dummy' }],
  ['Interface', { type: 'internal' }],
  ['Interface', { type: 'host' }],
  ['Interface', { type: 'warp', mac: 'rubbish' }],
  ['Interface', { type: 'patch', options: ['map', [['peer', 'p1']]] }],
  ['Interface', { mtu_request: 20, ofport_request: 9 }],
  ['Bridge', { other_config: ['map', [['hwaddr', '02:00:00:00:00:07']]] }],
  ['Bridge', { other_config: ['map', [['hwaddr', '?']]], ports: ['set', []] }],
  ['QoS', { other_config: ['map', [['max-rate', 'all']]] }],
  ['Queue', { other_config: ['map', [['min-rate', '7']]] }],
  ['IPFIX', { targets: ['set', ['nowhere']] }],
  ['Flow_Sample_Collector_Set', { ipfix: ['set', []] }],
  ['Controller', { max_backoff: 2000 }],
  ['Flow_Table', { name: 'renamed' }],
  ['Open_vSwitch', { bridges: ['set', []] }],
]

const change = fc.oneof(
  network.map((wanted) => (databases: Databases) => filled(databases, wanted)),
  fc.tuple(fc.constantFrom(...CLUMSY), fc.nat(9)).map(([[table, row], which]) => (databases: Databases) => {
    const rows = databases.ovs.tables.get(table)!.rows.values()
    if (rows.length === 0) return databases
    const where: Json = [['_uuid', '==', ['uuid', rows[which % rows.length]!.uuid]]]
    return { ...databases, ovs: done(databases.ovs, [{ op: 'update', table, where, row }]) }
  }),
)

function touchedBetween(before: Snapshot, after: Snapshot): Set<string> {
  const changes = snapshotDifference(before, after).filter(concernsConfiguration)
  return new Set(changes.flatMap(({ table, uuid }) => [table, uuid]))
}

const told = ({ table, uuid, message }: Problem) => `${table} ${uuid} ${message}`

/** The machine's address on a port stands in Lab, and nobody is told of it. */
const unaddressed = (port: Port | undefined) => port && { ...port, address: undefined }

test('whatever changes, reading only what has changed gives what reading everything anew does', () => {
  fc.assert(
    fc.property(network, fc.array(change, { minLength: 1, maxLength: 12 }), (first, changes) => {
      let databases = filled(EMPTY, first)
      const reader = new NetworkReader()
      let last = reader.read(databases.ovs, databases.lab)
      for (const apply of changes) {
        const before = databases
        databases = apply(databases)
        const touched = touchedBetween(before.ovs, databases.ovs)
        const now = reader.read(databases.ovs, databases.lab, touched)
        const anew = new NetworkReader().read(databases.ovs, databases.lab)
        expect(now.network).toEqual(anew.network)
        expect(now.problems.map(told).sort()).toEqual(anew.problems.map(told).sort())
        // Of a port that nobody is told of nothing has changed.
        const old = new Map(
          last.network.bridges.flatMap(({ ports }) => ports.map((port) => [port.name, port])),
        )
        for (const port of now.network.bridges.flatMap(({ ports }) => ports)) {
          if (!now.ports.has(port.name)) expect(unaddressed(port)).toEqual(unaddressed(old.get(port.name)))
        }
        for (const { name, mac, internal } of now.network.bridges) {
          const before = last.network.bridges.find((bridge) => bridge.name === name)
          if (before === undefined || now.ports.has(name)) continue
          const address = internal?.address
          expect({ mac, internal: internal && { ...internal, address } }).toEqual({
            mac: before.internal === undefined && internal === undefined ? mac : before.mac,
            internal: before.internal && { ...before.internal, address },
          })
        }
        last = now
      }
    }),
    { numRuns: 60 },
  )
})

test('what has not changed is the same object', () => {
  const databases = filled(EMPTY, {
    bridges: [],
    hosts: [],
    routers: [],
  })
  const port = (name: string) => [
    { op: 'insert', table: 'Interface', 'uuid-name': `i${name}`, row: { name, type: 'dummy' } },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `p${name}`,
      row: { name, interfaces: ['named-uuid', `i${name}`] },
    },
  ]
  const before = done(databases.ovs, [
    ...port('a'),
    ...port('b'),
    {
      op: 'insert',
      table: 'Bridge',
      'uuid-name': 'b',
      row: { name: 'br0', ports: ['set', ['pa', 'pb'].map((id) => ['named-uuid', id])] },
    },
    { op: 'update', table: 'Open_vSwitch', where: [], row: { bridges: ['named-uuid', 'b'] } },
  ])
  const reader = new NetworkReader()
  const [a, b] = reader.read(before, databases.lab).network.bridges[0]!.ports
  const after = done(before, [
    ...port('aa'),
    {
      op: 'mutate',
      table: 'Bridge',
      where: [],
      mutations: [['ports', 'insert', ['set', [['named-uuid', 'paa']]]]],
    },
    { op: 'update', table: 'Port', where: [['name', '==', 'b']], row: { tag: 5 } },
  ])
  const { network, ports } = reader.read(after, databases.lab, touchedBetween(before, after))
  const now = network.bridges[0]!.ports
  expect(now.map(({ name }) => name)).toEqual(['a', 'aa', 'b'])
  expect(now[0]).toBe(a)
  expect(now[2]).not.toBe(b)
  expect([...ports].sort()).toEqual(['aa', 'b'])
})
