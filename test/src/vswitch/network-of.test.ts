import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Network } from '../../../src/config/network.ts'
import { networkOf } from '../../../src/vswitch/network-of.ts'
import { compareNames } from '../../../src/vswitch/row-reader.ts'
import { rowsOf } from '../../../src/vswitch/rows-of.ts'
import { network } from '../../support/arbitrary-network.ts'
import { stored } from '../../support/wanted-rows.ts'

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

function readBack(wanted: Network) {
  const { ovs, lab } = rowsOf(wanted)
  return networkOf(stored(ovs), stored(lab))
}

test('a network is read back from its rows as it was', () => {
  fc.assert(
    fc.property(network, (wanted) => {
      const { network: read, problems } = readBack(wanted)
      expect(problems).toEqual([])
      expect(read).toEqual(ordered(wanted))
    }),
    { numRuns: 300 },
  )
})
