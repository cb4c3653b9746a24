import type { Network } from '../config/network.ts'
import { bridgeRow } from './bridge-rows.ts'
import { deviceRows, hostRow, routerRow } from './lab-rows.ts'
import { optional, scalar, setOf, type WantedRow, WantedRows } from './wanted-row.ts'

export interface NetworkRows {
  /** Of the database Open_vSwitch. */
  readonly ovs: readonly WantedRow[]
  /** Of the database Lab. */
  readonly lab: readonly WantedRow[]
}

/**
 * The rows that describe a network; `networkOf` reads it back from them. They have every column that a network
 * depends on, the empty ones too, and no other.
 */
export function rowsOf(network: Network): NetworkRows {
  const { bridges, hosts, routers, ssl } = network
  const ovs = new WantedRows()
  const lab = new WantedRows()
  const sslRow =
    ssl &&
    ovs.add('SSL', '', {
      private_key: scalar(ssl.privateKey),
      certificate: scalar(ssl.certificate),
      ca_cert: scalar(ssl.caCert),
      bootstrap_ca_cert: scalar(ssl.bootstrapCaCert === true),
    })
  ovs.add('Open_vSwitch', '', {
    bridges: setOf(bridges.map((bridge) => bridgeRow(ovs, bridge, network))),
    ssl: optional(sslRow),
  })
  lab.add('Lab', '', {
    devices: setOf(bridges.flatMap((bridge) => deviceRows(lab, bridge))),
    hosts: setOf(hosts.map((host) => hostRow(lab, host))),
    routers: setOf(routers.map((router) => routerRow(lab, router))),
  })
  return { ovs: ovs.rows, lab: lab.rows }
}
