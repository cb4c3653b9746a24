/** Versions of OpenFlow by their bit in a version bitmap, 1 and up. */
export const PROTOCOLS = [
  'OpenFlow10',
  'OpenFlow11',
  'OpenFlow12',
  'OpenFlow13',
  'OpenFlow14',
  'OpenFlow15',
] as const

type Protocol = (typeof PROTOCOLS)[number]

/** The bitmap of these versions. */
export function versionsOf(names: readonly string[]): number {
  return names.reduce((bits, name) => bits | (2 << PROTOCOLS.indexOf(name as Protocol)), 0)
}

export function protocolsOf(versions: number): Protocol[] {
  return PROTOCOLS.filter((_, i) => (versions & (2 << i)) !== 0)
}
