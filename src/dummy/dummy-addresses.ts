/** IP addresses that tests give to dummy ports: one of each version. */
import { type IpPrefix, isMapped } from '../tunnel/ip-prefix.ts'

export class DummyAddresses {
  readonly #addresses = new Map<string, readonly IpPrefix[]>()

  set(port: string, prefix: IpPrefix): void {
    const others = this.of(port).filter(({ address }) => isMapped(address) !== isMapped(prefix.address))
    this.#addresses.set(port, [...others, prefix])
  }

  of(port: string): readonly IpPrefix[] {
    return this.#addresses.get(port) ?? []
  }
}
