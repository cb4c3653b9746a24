/**
 * Rules of a given number of masks, and flows that are spread evenly over them. All rules have one priority and
 * exclude each other; each mask is a prefix of the destination address, every second one with the port too.
 */

export const PORT = 4001
/** Source address of flow 0; those of the others follow. */
const FIRST_SOURCE = 0xb0000001

export function source(flow: number): number {
  return (FIRST_SOURCE + flow) >>> 0
}

export function sourcePort(flow: number): number {
  return ((4 + (flow & 63)) << 8) | (flow & 255)
}

const prefix = (mask: number): number => 32 - (mask >> 1)

/** Destination address that rule `i` of those with `masks` masks matches; the first of its prefix. */
export function destination(i: number, masks: number): number {
  const mask = i % masks
  return (((10 + mask) << 24) | (Math.floor(i / masks) << (32 - prefix(mask)))) >>> 0
}

export function rules(count: number, masks: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const mask = i % masks
    const ports = mask % 2 === 1 ? `,tp_dst=${PORT}` : ''
    return `priority=100,udp,nw_dst=${dotted(destination(i, masks))}/${prefix(mask)}${ports},actions=output:2`
  })
}

/** A rule of its own for each of so many flows, when they are spread over as many rules of one mask. */
export function fiveTuples(count: number): string[] {
  return Array.from({ length: count }, (_, f) => {
    const addresses = `nw_src=${dotted(source(f))},nw_dst=${dotted(destination(f, 1))}`
    return `priority=100,udp,${addresses},tp_src=${sourcePort(f)},tp_dst=${PORT},actions=output:2`
  })
}

/** Rules with which no two source addresses under one /8 share a cached flow. */
export const EXACT = [
  'priority=100,udp,nw_src=0.0.0.0/0.255.255.255,actions=drop',
  'priority=1,udp,actions=output:2',
]

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}
