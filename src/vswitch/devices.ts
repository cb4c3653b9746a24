import { type DriverInfo, driverInfo, type LinkMode, linkMode } from '../../engine/sys/ethtool.ts'
import { type LinkInfo, linkTable } from '../../engine/sys/link-info.ts'

interface DriverFacts {
  readonly driver: DriverInfo | undefined
  readonly mode: LinkMode | undefined
}

/** The devices of the machine, looked at all at once: a thousand questions would take their time. */
export class Devices {
  #links: ReadonlyMap<string, LinkInfo> = new Map()
  /** By index and whether there was a link: drivers say nothing else as long as these are the same. */
  readonly #drivers = new Map<string, DriverFacts>()

  look(): void {
    this.#links = linkTable()
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
