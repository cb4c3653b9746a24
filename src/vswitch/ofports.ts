import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { DatabaseReader } from './row-reader.ts'

const MAX_OFPORT = 0xfeff

/** OpenFlow numbers by which ports were known, as far as no other port of their bridge wants one of them. */
export function ofportsOf(ovs: Snapshot): Map<string, number> {
  const reader = new DatabaseReader(ovs)
  const ofports = new Map<string, number>()
  for (const bridge of reader.all('Bridge')) {
    const ports = reader.follow(bridge, 'ports', 'Port').flatMap((port) => {
      const [iface] = reader.follow(port, 'interfaces', 'Interface')
      return iface === undefined ? [] : [{ name: port.text('name'), iface }]
    })
    const taken = new Set(ports.map(({ iface }) => iface.optionalNumber('ofport_request')))
    for (const { name, iface } of ports) {
      const ofport = iface.optionalNumber('ofport')
      if (ofport === undefined || ofport < 1 || ofport > MAX_OFPORT || taken.has(ofport)) continue
      taken.add(ofport)
      ofports.set(name, ofport)
    }
  }
  return ofports
}
