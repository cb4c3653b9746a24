/**
 * A network of switches as one would write it on a napkin: no caches, no flows, frames as lists of tags and
 * bytes. What a port does with VLANs is transcribed from the "VLAN Configuration" part of
 * ovs-vswitchd.conf.db(5); what the text leaves open is decided as Open vSwitch's xlate_normal() does.
 */
import type { VlanSettings } from '../../engine/dpif.ts'
import { hex, splitTags, type Tag, withTags } from '../support/frames.ts'

interface RefPort {
  readonly name: string
  bridge: RefBridge
  vlan: VlanSettings
  /** Name of the patch port at the other end; undefined for a device. */
  readonly peer: string | undefined
}

interface RefBridge {
  readonly name: string
  aging: number
  forwardBpdu: boolean
  /** Station ("vlan/mac") to the port it was last heard on, and when. */
  readonly stations: Map<string, { port: string; used: number }>
}

/** A packet inside a bridge. */
interface Inside {
  readonly vlan: number
  /** The outermost tag the packet came with, if any: its priority, and its TPID. */
  readonly received: Tag | undefined
  /** Tags behind the VLAN. */
  readonly payload: readonly Tag[]
  readonly from: RefPort
}

const vidOf = (tags: readonly Tag[]) => tags[0]?.vid ?? 0
const listed = (set: readonly number[], vid: number) => set.length === 0 || set.includes(vid)

export function ingress(
  port: VlanSettings,
  tags: readonly Tag[],
): { vlan: number; payload: Tag[] } | undefined {
  const vid = vidOf(tags)
  switch (port.mode) {
    case 'access':
      // "Any packet with an 802.1Q header with a nonzero VLAN ID that ingresses on an access port is dropped,
      // regardless of whether the VLAN ID in the header is the access port's VLAN ID."
      return vid !== 0 ? undefined : { vlan: port.tag, payload: tags.slice(1) }
    case 'trunk':
      // "in the VLAN specified in its 802.1Q header, or VLAN 0 if the packet has no 802.1Q header"
      return listed(port.trunks, vid) ? { vlan: vid, payload: tags.slice(1) } : undefined
    case 'native-tagged':
    case 'native-untagged':
      // "a packet without an 802.1Q header … is in the native VLAN"; it "always trunks its native VLAN"
      if (vid === 0 || vid === port.tag) return { vlan: port.tag, payload: tags.slice(1) }
      return listed(port.trunks, vid) ? { vlan: vid, payload: tags.slice(1) } : undefined
    case 'dot1q-tunnel':
      // "treats these as double-tagged with the outer service VLAN tag"; "only allows packets in the specified
      // customer VLANs"
      return listed(port.cvlans, vid) ? { vlan: port.tag, payload: [...tags] } : undefined
  }
}

export function carries(port: VlanSettings, vlan: number, payload: readonly Tag[]): boolean {
  switch (port.mode) {
    case 'access':
      return vlan === port.tag && vidOf(payload) === 0
    case 'trunk':
      return listed(port.trunks, vlan)
    case 'native-tagged':
    case 'native-untagged':
      // VLAN 0 would be indistinguishable from the native VLAN.
      return vlan === port.tag || (vlan !== 0 && listed(port.trunks, vlan))
    case 'dot1q-tunnel':
      return vlan === port.tag && listed(port.cvlans, vidOf(payload))
  }
}

export function egress(to: VlanSettings, inside: Omit<Inside, 'from'>, from: VlanSettings): Tag[] {
  const { vlan, received, payload } = inside
  const pcp = received?.pcp ?? 0
  // "a packet outer VLAN (or only VLAN) must be tag, which is removed before egress"
  if (to.mode === 'dot1q-tunnel') return [...payload]
  const tagged = vlan !== 0 && to.mode !== 'access' && !(to.mode === 'native-untagged' && vlan === to.tag)
  if (tagged && from.mode === 'dot1q-tunnel') {
    const tpid = from.qinqEthertype === '802.1ad' ? 0x88a8 : 0x8100
    return [{ tpid, vid: vlan, pcp: to.priorityTags === 'no' ? 0 : pcp }, ...payload]
  }
  const tpid = from.mode === 'dot1q-tunnel' ? 0x8100 : (received?.tpid ?? 0x8100)
  if (tagged) return [{ tpid, vid: vlan, pcp }, ...payload]
  const rest = to.mode === 'access' ? [] : payload
  // "omits the 802.1Q header on output if both the VLAN ID and priority would be zero. Set to always to retain
  // the 802.1Q header in such frames as well."
  if (to.priorityTags === 'always' || (to.priorityTags === 'if-nonzero' && pcp !== 0)) {
    return [{ tpid, vid: 0, pcp }, ...rest]
  }
  return [...rest]
}

export class RefNetwork {
  readonly #bridges = new Map<string, RefBridge>()
  readonly #ports = new Map<string, RefPort>()
  #out: string[] = []

  bridge(name: string, aging: number, forwardBpdu: boolean): void {
    const stations = this.#bridges.get(name)?.stations ?? new Map()
    const bridge = { name, aging: aging * 1000, forwardBpdu, stations }
    this.#bridges.set(name, bridge)
    for (const port of this.#ports.values()) if (port.bridge.name === name) port.bridge = bridge
  }

  port(name: string, bridge: string, vlan: VlanSettings, peer?: string): void {
    const old = this.#ports.get(name)
    if (
      old !== undefined &&
      (old.bridge.name !== bridge || JSON.stringify(old.vlan) !== JSON.stringify(vlan))
    ) {
      this.#forget(old)
    }
    this.#ports.set(name, { name, bridge: this.#bridges.get(bridge)!, vlan, peer })
  }

  deletePort(name: string): void {
    const port = this.#ports.get(name)
    if (port !== undefined) this.#forget(port)
    this.#ports.delete(name)
  }

  #forget(port: RefPort): void {
    const { stations } = port.bridge
    for (const [key, station] of stations) if (station.port === port.name) stations.delete(key)
  }

  flush(bridge: string): void {
    this.#bridges.get(bridge)!.stations.clear()
  }

  expire(now: number): void {
    for (const { stations, aging } of this.#bridges.values()) {
      for (const [key, station] of stations) if (station.used + aging <= now) stations.delete(key)
    }
  }

  /** All stations as "bridge vlan/mac port". */
  stations(): string[] {
    const rows: string[] = []
    for (const b of this.#bridges.values()) {
      for (const [key, station] of b.stations) rows.push(`${b.name} ${key} ${station.port}`)
    }
    return rows.sort()
  }

  /** What leaves the network, as "port hex", sorted, when a frame comes by a port. */
  send(port: string, frame: Uint8Array, now: number): string[] {
    this.#out = []
    this.#enter(this.#ports.get(port)!, frame, now)
    return this.#out.sort()
  }

  #enter(from: RefPort, frame: Uint8Array, now: number): void {
    const { bridge } = from
    const dst = hex(frame.slice(0, 6))
    const src = hex(frame.slice(6, 12))
    if (dst.startsWith('0180c200000') && !bridge.forwardBpdu) return
    const { tags } = splitTags(frame)
    const entered = ingress(from.vlan, tags)
    if (entered === undefined) return
    const inside: Inside = { ...entered, received: tags[0], from }
    if ((frame[6] & 1) === 0) bridge.stations.set(`${inside.vlan}/${src}`, { port: from.name, used: now })
    const known = (frame[0] & 1) === 0 ? bridge.stations.get(`${inside.vlan}/${dst}`)?.port : undefined
    for (const to of this.#ports.values()) {
      if (to.bridge !== bridge || to === from || (known !== undefined && known !== to.name)) continue
      if (carries(to.vlan, inside.vlan, inside.payload)) this.#leave(to, inside, frame, now)
    }
  }

  #leave(to: RefPort, inside: Inside, frame: Uint8Array, now: number): void {
    const out = withTags(frame, egress(to.vlan, inside, inside.from.vlan))
    if (to.peer === undefined) this.#out.push(`${to.name} ${hex(out)}`)
    else {
      const peer = this.#ports.get(to.peer)
      if (peer !== undefined) this.#enter(peer, out, now)
    }
  }
}
