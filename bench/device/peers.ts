/** The switches that are measured side by side. */
import { copyLoop } from '../peers/copy-loop.ts'
import { iptables, iptablesAnywhere, kernelBridge, kernelBridgeAnywhere } from '../peers/kernel.ts'
import { ovsSnat, ovsTaps, ovsTso, ovsVeths, ovsXdp } from '../peers/open-vswitch.ts'
import {
  ourBusyVeths,
  ourGro,
  ourSnat,
  ourSnatVeths,
  ourTaps,
  ourVeths,
  ourWithoutGro,
} from '../peers/ours.ts'
import type { Peer } from '../peers/peer.ts'
import { vde } from '../peers/vde.ts'

export const BRIDGES: readonly Peer[] = [
  ourTaps,
  ourVeths,
  ourBusyVeths,
  kernelBridge,
  kernelBridgeAnywhere,
  ovsTaps,
  ovsVeths,
  ovsTso,
  ovsXdp,
  vde,
  copyLoop,
]
export const ROUTERS: readonly Peer[] = [ourSnat, ourSnatVeths, iptables, iptablesAnywhere, ovsSnat]
/** With and without putting small frames together. */
export const OFFLOADS: readonly Peer[] = [ourGro, ourWithoutGro]
export const OURS: readonly string[] = [ourTaps, ourVeths, ourBusyVeths, ourSnat, ourSnatVeths, ourGro].map(
  ({ name }) => name,
)
