import { formatMac } from '../../protocols/wire/ethernet.ts'
import { datapathIdOf } from '../config/datapath-id.ts'
import { AGING_TIME, INACTIVITY_PROBE, MAC_TABLE_SIZE, MAX_BACKOFF } from '../config/defaults.ts'
import { deriveMac } from '../config/mac-derivation.ts'
import type { Bridge, ControllerTarget, FlowTableSettings, Network } from '../config/network.ts'
import { PROTOCOLS, protocolsOf } from '../config/protocols.ts'
import { unless } from '../config/unless.ts'
import { DEFAULT_DSCP } from '../net/dscp.ts'
import { ipfixRows } from './ipfix-rows.ts'
import { attachmentRow, internalRow, portRow } from './port-rows.ts'
import { mapOf, optional, type Reference, scalar, setOf, type WantedRows, wordsOf } from './wanted-row.ts'

/** The row of a bridge and of everything on it, interfaces of hosts and routers included. */
export function bridgeRow(rows: WantedRows, bridge: Bridge, network: Network): Reference {
  const { name, mac, datapathId, internal, openflow } = bridge
  const ports = bridge.ports.map((port) => portRow(rows, port))
  if (internal !== undefined) ports.unshift(internalRow(rows, name, internal))
  for (const kind of ['host', 'router'] as const) {
    for (const owner of network[`${kind}s`]) {
      const here = owner.interfaces.filter((iface) => iface.bridge === name)
      ports.push(...here.map((iface) => attachmentRow(rows, kind, owner.name, iface)))
    }
  }
  const protocols = protocolsOf(openflow.versions)
  const row = rows.add('Bridge', name, {
    name: scalar(name),
    ports: setOf(ports),
    controller: setOf(openflow.controllers.map((controller) => controllerRow(rows, name, controller))),
    fail_mode: optional(unless('standalone', openflow.failMode)),
    protocols: setOf(protocols.length === PROTOCOLS.length ? [] : protocols),
    flow_tables: mapOf(
      openflow.flowTables.map((settings) => [settings.table, flowTableRow(rows, name, settings)]),
    ),
    ipfix: optional(ipfixRows(rows, bridge)),
    other_config: wordsOf({
      hwaddr: mac === deriveMac('bridge', name) ? undefined : formatMac(mac),
      'datapath-id': unless(datapathIdOf(mac), datapathId),
      'mac-aging-time': unless(AGING_TIME, bridge.agingTime),
      'mac-table-size': unless(MAC_TABLE_SIZE, bridge.macTableSize),
      'forward-bpdu': bridge.forwardBpdu ? 'true' : undefined,
    }),
  })
  return row
}

function controllerRow(rows: WantedRows, bridge: string, controller: ControllerTarget): Reference {
  const { target, maxBackoff, inactivityProbe, rateLimit, burstLimit, dscp } = controller
  return rows.add('Controller', `${bridge}/${target}`, {
    target: scalar(target),
    max_backoff: optional(unless(MAX_BACKOFF, maxBackoff)),
    inactivity_probe: optional(unless(INACTIVITY_PROBE, inactivityProbe)),
    controller_rate_limit: optional(unless(0, rateLimit)),
    controller_burst_limit: optional(unless(0, burstLimit)),
    other_config: wordsOf({ dscp: unless(DEFAULT_DSCP, dscp) }),
  })
}

function flowTableRow(rows: WantedRows, bridge: string, settings: FlowTableSettings): Reference {
  const { table, name, flowLimit, evicts, groups } = settings
  return rows.add('Flow_Table', `${bridge}/${table}`, {
    name: optional(unless('', name)),
    flow_limit: optional(flowLimit),
    overflow_policy: optional(evicts ? 'evict' : undefined),
    groups: setOf(groups),
  })
}
