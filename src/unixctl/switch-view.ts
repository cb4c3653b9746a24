/** What the commands of ovs-vswitchd see of the switch. */
import type { Dpif, Page, PortStatus } from '../../engine/dpif.ts'
import type { Instant } from '../../protocols/time.ts'
import { UnixctlError } from './command-registry.ts'

export interface BridgeView {
  readonly name: string
  /** Bridges of one type share a datapath: `netdev`, `system`, `dummy`. */
  readonly datapathType: string
}

export interface SwitchView {
  readonly dpif: Dpif
  bridges(): readonly BridgeView[]
  /** Has the controllers of a bridge, or of all, connected to anew. */
  reconnect(bridge?: string): Promise<void>
  /** Sets the clock of the dataplane, as engine/sys/clock.ts does that of this thread. */
  clockSet(at: Instant, runs: boolean): Promise<void>
}

/** @throws UnixctlError */
export function bridgeNamed(view: SwitchView, name: string, otherwise = 'no such bridge'): BridgeView {
  const bridge = view.bridges().find((b) => b.name === name)
  if (bridge === undefined) throw new UnixctlError(otherwise)
  return bridge
}

export function sortedBridges(view: SwitchView): BridgeView[] {
  return [...view.bridges()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** All pages of a table, one after the other. */
export async function allRows<Row>(page: (from: number) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    const next: Page<Row> = await page(from)
    rows.push(...next.rows)
    from = next.next
  }
  return rows
}

/** A datapath as `dpctl` names it: `dummy@ovs-dummy`. */
export const datapathName = (type: string): string => `${type}@ovs-${type}`

export interface DatapathView {
  readonly type: string
  readonly name: string
  readonly bridges: readonly BridgeView[]
  /** Those that have a number in it: all but patch ports. */
  readonly ports: readonly PortStatus[]
}

/** The datapaths that have bridges, each with its ports. */
export async function datapaths(view: SwitchView): Promise<DatapathView[]> {
  const ports = await view.dpif.ports()
  const bridges = sortedBridges(view)
  const types = [...new Set(bridges.map((bridge) => bridge.datapathType))].sort()
  return types.map((type) => {
    const members = bridges.filter((bridge) => bridge.datapathType === type)
    const names = new Set(members.map((bridge) => bridge.name))
    return {
      type,
      name: datapathName(type),
      bridges: members,
      ports: ports
        .filter((port) => names.has(port.bridge) && hasNumber(port))
        .sort((a, b) => a.portNo - b.portNo),
    }
  })
}

/** Ports that lead to another of the switch are known to its translation only. */
export function hasNumber(port: PortStatus): boolean {
  return port.type !== 'patch' && port.type !== 'router'
}

/** What `dpif/show` calls a port. */
export function portType(port: PortStatus): string {
  if (port.type === 'memory') return port.name === port.bridge ? 'dummy-internal' : 'dummy'
  return port.type === 'patch' ? `patch: peer=${port.peer}` : port.type
}
