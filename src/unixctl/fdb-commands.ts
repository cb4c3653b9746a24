/** fdb/… and mdb/…: what bridges have learned, ovs-vswitchd(8) "BRIDGE COMMANDS". */
import { OFPP_LOCAL } from '../../protocols/openflow/port.ts'
import { formatMac, parseMac } from '../../protocols/wire/ethernet.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import { allRows, bridgeNamed, type SwitchView } from './switch-view.ts'

const FLUSHED = 'table successfully flushed'

export function fdbCommands(view: SwitchView): UnixctlCommand[] {
  const chosen = (name: string | undefined) =>
    name === undefined ? view.bridges() : [bridgeNamed(view, name)]
  return [
    { name: 'fdb/show', usage: 'bridge', min: 1, max: 1, run: ([bridge]) => show(view, bridge) },
    {
      name: 'fdb/flush',
      usage: '[bridge]',
      min: 0,
      max: 1,
      run: async ([name]) => {
        for (const bridge of chosen(name)) await view.dpif.fdbFlush(bridge.name)
        return FLUSHED
      },
    },
    { name: 'fdb/add', usage: 'bridge port vlan mac', min: 4, max: 4, run: (args) => add(view, args) },
    { name: 'fdb/del', usage: 'bridge vlan mac', min: 3, max: 3, run: (args) => remove(view, args) },
    { name: 'fdb/stats-show', usage: 'bridge', min: 1, max: 1, run: ([bridge]) => stats(view, bridge) },
    {
      name: 'fdb/stats-clear',
      usage: '[bridge]',
      min: 0,
      max: 1,
      run: async ([name]) => {
        for (const bridge of chosen(name)) await view.dpif.fdbStatsClear(bridge.name)
        return 'statistics successfully cleared'
      },
    },
    {
      name: 'mdb/show',
      usage: 'bridge',
      min: 1,
      max: 1,
      run: ([bridge]) => {
        bridgeNamed(view, bridge)
        throw new UnixctlError('multicast snooping is disabled')
      },
    },
    {
      name: 'mdb/flush',
      usage: '[bridge]',
      min: 0,
      max: 1,
      run: ([name]) => {
        chosen(name)
        return FLUSHED
      },
    },
  ]
}

async function show(view: SwitchView, name: string): Promise<string> {
  bridgeNamed(view, name)
  const rows = await allRows((from) => view.dpif.fdb(name, from))
  const lines = rows.map(({ ofport, vlan, mac, age }) => {
    const port = ofport === OFPP_LOCAL ? 'LOCAL' : String(ofport)
    const shownAge = age < 0 ? 'static' : String(age).padStart(3)
    return `${port.padStart(5)}  ${String(vlan).padStart(4)}  ${formatMac(mac)}  ${shownAge}\n`
  })
  return ` port  VLAN  MAC                Age\n${lines.join('')}`
}

/** @throws UnixctlError */
function macOf(text: string): number {
  const mac = parseMac(text)
  if (mac === undefined) throw new UnixctlError('bad MAC address')
  return mac
}

/** @throws UnixctlError */
function vlanOf(text: string): number {
  const vlan = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(vlan <= 0xffff)) throw new UnixctlError('bad VLAN')
  return vlan
}

async function add(view: SwitchView, [bridge, port, vlan, mac]: readonly string[]): Promise<string> {
  bridgeNamed(view, bridge)
  const ports = await view.dpif.ports()
  if (!ports.some((p) => p.name === port && p.bridge === bridge)) {
    throw new UnixctlError('software error, odp port is present but no ofp port')
  }
  await view.dpif.fdbAdd(bridge, port, vlanOf(vlan), macOf(mac))
  return ''
}

async function remove(view: SwitchView, [bridge, vlan, mac]: readonly string[]): Promise<string> {
  bridgeNamed(view, bridge)
  if (await view.dpif.fdbDelete(bridge, vlanOf(vlan), macOf(mac))) return ''
  throw new UnixctlError('could not find static mac entry')
}

async function stats(view: SwitchView, name: string): Promise<string> {
  bridgeNamed(view, name)
  const { entries, capacity, statics, learned, expired, evicted, moved } = await view.dpif.fdbStats(name)
  return `Statistics for bridge "${name}":
  Current/maximum MAC entries in the table: ${entries}/${capacity}
  Current static MAC entries in the table : ${statics}
  Total number of learned MAC entries     : ${learned}
  Total number of expired MAC entries     : ${expired}
  Total number of evicted MAC entries     : ${evicted}
  Total number of port moved MAC entries  : ${moved}
`
}
