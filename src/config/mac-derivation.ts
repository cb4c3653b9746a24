import { createHash } from 'node:crypto'

/**
 * The MAC address of what these names name. It follows from them alone, so that a host has the same address after a
 * restart and its DHCP lease finds it again. Locally administered and unicast (IEEE 802 §8.2).
 */
export function deriveMac(...names: readonly string[]): number {
  return candidate(names, 0)
}

function candidate(names: readonly string[], attempt: number): number {
  const digest = createHash('sha256')
    .update(`${names.join('/')}#${attempt}`)
    .digest()
  const first = (digest[0]! & 0xfc) | 0x02
  return first * 2 ** 40 + digest.readUIntBE(1, 5)
}

/** MAC addresses that nobody gave, none of them twice. */
export class MacDerivation {
  readonly #taken: Set<number>

  /** @param given addresses that the configuration gives out itself. */
  constructor(given: Iterable<number>) {
    this.#taken = new Set(given)
  }

  derive(...names: readonly string[]): number {
    for (let attempt = 0; ; attempt++) {
      const mac = candidate(names, attempt)
      if (this.#taken.has(mac)) continue
      this.#taken.add(mac)
      return mac
    }
  }
}
