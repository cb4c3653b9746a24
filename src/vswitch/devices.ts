import { type DriverInfo, driverInfo, type LinkMode, linkMode } from '../../engine/sys/ethtool.ts'
import { type LinkInfo, linkInfo, linkTable } from '../../engine/sys/link-info.ts'

interface DriverFacts {
  readonly driver: DriverInfo | undefined
  readonly mode: LinkMode | undefined
}

/** So many devices are asked for one by one; of more it is cheaper to have all of the machine listed. */
const FEW = 16

/** The devices of the machine, as they were when they were looked at last. */
export class Devices {
  #links = new Map<string, LinkInfo>()
  /** By index and whether there was a link: drivers say nothing else as long as these are the same. */
  readonly #drivers = new Map<string, DriverFacts>()

  /** Looks at these devices; at all of the machine when they are many. */
  look(names: readonly string[]): void {
    if (names.length > FEW) {
      this.#links = linkTable()
      return
    }
    for (const name of names) {
      const link = linkInfo(name)
      if (link === undefined) this.#links.delete(name)
      else this.#links.set(name, link)
    }
  }

  /** Looks at all of the machine: names of those that are not as they were. */
  changes(): string[] {
    const before = this.#links
    this.#links = linkTable()
    const changed = [...this.#links].filter(([name, link]) => !sameLink(before.get(name), link))
    const gone = [...before.keys()].filter((name) => !this.#links.has(name))
    return [...gone, ...changed.map(([name]) => name)]
  }

  link(name: string): LinkInfo | undefined {
    return this.#links.get(name)
  }

  driver(name: string, { index, carrier }: LinkInfo): DriverFacts {
    const key = `${index} ${carrier}`
    let facts = this.#drivers.get(key)
    if (facts === undefined) {
      if (this.#drivers.size > 2 * this.#links.size + 16) this.#drivers.clear()
      facts = { driver: driverInfo(name), mode: linkMode(name) }
      this.#drivers.set(key, facts)
    }
    return facts
  }
}

function sameLink(a: LinkInfo | undefined, b: LinkInfo): boolean {
  return (
    a?.index === b.index &&
    a.flags === b.flags &&
    a.mac === b.mac &&
    a.mtu === b.mtu &&
    a.carrier === b.carrier
  )
}
