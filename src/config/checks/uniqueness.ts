import { parseMac } from '../../../protocols/wire/ethernet.ts'
import { formatIpv4 } from '../../../protocols/wire/ipv4.ts'
import { parsePrefix } from '../address.ts'
import type { Path } from '../config-error.ts'
import { attachmentPort } from '../network.ts'
import { each, entries, items, type LooseConfig, type Reporter, Unique } from './reporter.ts'

/** Something with an address on a bridge. */
interface Station {
  readonly bridge: string | undefined
  readonly tag: number | undefined
  readonly address: string | readonly (string | undefined)[] | undefined
  readonly mac: string | undefined
  readonly path: Path
}

function* stations(config: LooseConfig): Generator<Station> {
  for (const [bridge, b] of entries(config.bridges)) {
    yield { bridge, tag: b.tag, address: b.address, mac: b.mac, path: ['bridges', bridge] }
    for (const [name, p] of entries(b.ports)) {
      const path = ['bridges', bridge, 'ports', name]
      yield { bridge, tag: p.tag, address: p.type === 'internal' ? p.address : undefined, mac: p.mac, path }
    }
  }
  for (const kind of ['hosts', 'routers'] as const) {
    for (const [owner, node] of entries(config[kind])) {
      for (const [name, i] of entries(node.interfaces)) {
        const path = [kind, owner, 'interfaces', name]
        yield { bridge: i.bridge, tag: i.tag, address: i.address, mac: i.mac, path }
      }
    }
  }
}

/** For each bridge one name of the network it is part of: patch ports join bridges. */
function segments(config: LooseConfig): (bridge: string) => string {
  const parent = new Map<string, string>()
  const root = (bridge: string): string => {
    let b = bridge
    for (let up = parent.get(b); up !== undefined; up = parent.get(b)) b = up
    return b
  }
  const home = new Map<string, string>()
  for (const [bridge, b] of entries(config.bridges)) {
    for (const [name, p] of entries(b.ports)) if (p.type === 'patch') home.set(name, bridge)
  }
  for (const [bridge, b] of entries(config.bridges)) {
    for (const [, p] of entries(b.ports)) {
      const other = p.type === 'patch' && p.peer !== undefined ? home.get(p.peer) : undefined
      if (other !== undefined && root(other) !== root(bridge)) parent.set(root(other), root(bridge))
    }
  }
  return root
}

function checkAddresses(config: LooseConfig, report: Reporter): void {
  const macs = new Unique<number>()
  const addresses = new Unique<string>()
  const segmentOf = segments(config)
  for (const station of stations(config)) {
    const mac = station.mac === undefined ? undefined : parseMac(station.mac)
    if (mac !== undefined) {
      const earlier = macs.claim(mac, [...station.path, 'mac'])
      if (earlier !== undefined) {
        report.value([...station.path, 'mac'], `a MAC address that nobody else has (${earlier} does)`)
      }
    }
    if (station.bridge === undefined) continue
    const segment = `${segmentOf(station.bridge)} ${station.tag ?? 0}`
    for (const [text, at] of each(station.address, [...station.path, 'address'])) {
      const prefix = parsePrefix(text)
      if (prefix === undefined) continue
      const earlier = addresses.claim(`${segment} ${formatIpv4(prefix.address)}`, at)
      if (earlier !== undefined) {
        report.value(at, `an address that nobody else has on this network (${earlier} does)`)
      }
    }
  }
  for (const [host, h] of entries(config.hosts)) {
    const own = new Unique<string>()
    for (const [i, text] of items(h.addresses)) {
      const at = ['hosts', host, 'addresses', i]
      const earlier = own.claim(text, at)
      if (earlier !== undefined) report.value(at, `an address that is not in the list yet (${earlier} is)`)
    }
  }
}

/** Ports are named across all bridges, as in Open vSwitch; bridges are ports of their own name. */
function checkPortNames(config: LooseConfig, report: Reporter): void {
  const ports = new Unique<string>()
  const claim = (name: string, path: Path) => {
    const earlier = ports.claim(name, path)
    if (earlier !== undefined) report.key(path, `a port name that is not taken yet (it is by ${earlier})`)
  }
  for (const [bridge] of entries(config.bridges)) claim(bridge, ['bridges', bridge])
  for (const kind of ['hosts', 'routers'] as const) {
    for (const [owner, node] of entries(config[kind])) {
      if (kind === 'routers' && Object.hasOwn(config.hosts ?? {}, owner)) {
        report.key([kind, owner], `a name that no host has ($.hosts.${owner} does)`)
        continue
      }
      for (const [name] of entries(node.interfaces)) {
        claim(attachmentPort(owner, name), [kind, owner, 'interfaces', name])
      }
    }
  }
  for (const [bridge, b] of entries(config.bridges)) {
    for (const [name] of entries(b.ports)) claim(name, ['bridges', bridge, 'ports', name])
  }
}

export function checkUniqueness(config: LooseConfig, report: Reporter): void {
  checkPortNames(config, report)
  checkAddresses(config, report)
}
