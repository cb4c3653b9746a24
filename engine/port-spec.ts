/** How specs of ports compare. */
import type { PortSpec } from './dpif.ts'

/** Whether frames leave the datapath by the port. */
export function isDevice(spec: PortSpec): boolean {
  return spec.kind.type !== 'patch' && spec.kind.type !== 'router'
}

export function sameVlans(a: PortSpec, b: PortSpec): boolean {
  return JSON.stringify(a.vlan) === JSON.stringify(b.vlan)
}

/** Whether a port of one spec can become the other and keep its device. */
export function sameKind(a: PortSpec, b: PortSpec): boolean {
  return JSON.stringify(a.kind) === JSON.stringify(b.kind)
}
