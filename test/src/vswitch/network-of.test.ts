import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Database } from '../../../protocols/ovsdb/database.ts'
import type { Network } from '../../../src/config/network.ts'
import { fillOperations } from '../../../src/vswitch/fill.ts'
import { networkOf } from '../../../src/vswitch/network-of.ts'
import { compareNames } from '../../../src/vswitch/row-reader.ts'
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
  const { network, problems } = networkOf(ovs, lab)
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
