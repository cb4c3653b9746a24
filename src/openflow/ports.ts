/** The ports of a bridge as OpenFlow describes them, and what became of them since they were last described. */
import type { Dpif, PortStatus as PortRow } from '../../engine/dpif.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import { PC_PORT_DOWN, type PortDesc, PS_LINK_DOWN, PS_LIVE } from '../../protocols/openflow/port-desc.ts'
import type { PortMod } from '../../protocols/openflow/port-mod.ts'
import type { PortStats } from '../../protocols/openflow/port-stats.ts'
import type { PortStatus } from '../../protocols/openflow/port-status.ts'
import type { Instant } from '../../protocols/time.ts'

export interface PortsOptions {
  readonly dpif: Dpif
  readonly bridge: string
  readonly now: () => Instant
  /** Six bytes. */
  readonly macOf: (port: string) => Uint8Array
}

interface Known {
  readonly desc: PortDesc
  readonly since: Instant
}

export class SwitchPorts {
  readonly #options: PortsOptions
  /** By name: what was last told. */
  readonly #known = new Map<string, Known>()
  /** PC_* bits that port-mods have set, by name. */
  readonly #config = new Map<string, number>()

  constructor(options: PortsOptions) {
    this.#options = options
  }

  async descriptions(port = OFPP_ANY): Promise<PortDesc[]> {
    const rows = await this.#rows()
    return rows.filter((row) => port === OFPP_ANY || row.ofport === port).map((row) => this.#describe(row))
  }

  async stats(port: number): Promise<PortStats[]> {
    const now = this.#options.now()
    const rows = await this.#rows()
    return rows
      .filter((row) => port === OFPP_ANY || row.ofport === port)
      .map((row) => statsOf(row, now - (this.#known.get(row.name)?.since ?? now)))
  }

  /**
   * What has changed since the last time, in an order in which a controller can take it.
   * @param ports those that are looked at; of the others nothing is told
   */
  async changes(ports?: readonly string[]): Promise<PortStatus[]> {
    const now = this.#options.now()
    const rows = new Map((await this.#rows(ports)).map((row) => [row.name, row]))
    const known = this.#known
    const added: PortStatus[] = []
    const deleted: PortStatus[] = []
    for (const name of ports ?? [...known.keys()]) {
      const old = known.get(name)
      if (old === undefined || rows.get(name)?.ofport === old.desc.port) continue
      deleted.push({ reason: 'delete', desc: old.desc })
      known.delete(name)
      if (!rows.has(name)) this.#config.delete(name)
    }
    for (const row of rows.values()) {
      const desc = this.#describe(row)
      const old = known.get(row.name)
      known.set(row.name, { desc, since: old?.since ?? now })
      if (old === undefined) added.push({ reason: 'add', desc })
      else if (!sameDesc(old.desc, desc)) added.push({ reason: 'modify', desc })
    }
    return [...deleted, ...added]
  }

  /** Why a port-mod cannot be carried out: there is no port of that number, or of that MAC address. */
  async refusal({ port, hwAddr }: PortMod): Promise<OfErrorName | undefined> {
    const row = await this.#row(port)
    if (row === undefined) return 'OFPPMFC_BAD_PORT'
    const mac = this.#options.macOf(row.name)
    return mac.every((byte, i) => byte === hwAddr[i]) ? undefined : 'OFPPMFC_BAD_HW_ADDR'
  }

  /** Sets PC_* bits of a port, if it is there. */
  async configure({ port, config, mask }: PortMod): Promise<void> {
    const row = await this.#row(port)
    if (row === undefined) return
    const bits = ((this.#config.get(row.name) ?? 0) & ~mask) | (config & mask)
    await this.#options.dpif.portConfig(row.name, bits)
    this.#config.set(row.name, bits)
  }

  async #row(port: number): Promise<PortRow | undefined> {
    return (await this.#rows()).find(({ ofport }) => ofport === port)
  }

  async #rows(ports?: readonly string[]): Promise<PortRow[]> {
    const { dpif, bridge } = this.#options
    const rows = (await dpif.ports(ports)).filter((row) => row.bridge === bridge)
    return rows.sort((a, b) => a.ofport - b.ofport)
  }

  #describe(row: PortRow): PortDesc {
    const config = this.#config.get(row.name) ?? 0
    const up = row.link === 'up' && (config & PC_PORT_DOWN) === 0
    return {
      port: row.ofport,
      hwAddr: this.#options.macOf(row.name),
      name: row.name,
      config,
      state: up ? PS_LIVE : PS_LINK_DOWN,
      curr: 0,
      advertised: 0,
      supported: 0,
      peer: 0,
      currSpeed: 0,
      maxSpeed: 0,
    }
  }
}

function sameDesc(a: PortDesc, b: PortDesc): boolean {
  return a.config === b.config && a.state === b.state && a.hwAddr.every((byte, i) => byte === b.hwAddr[i])
}

function statsOf(row: PortRow, age: number): PortStats {
  const { stats } = row
  return {
    port: row.ofport,
    rxPackets: stats['rx_packets'],
    txPackets: stats['tx_packets'],
    rxBytes: stats['rx_bytes'],
    txBytes: stats['tx_bytes'],
    rxDropped: stats['rx_dropped'],
    txDropped: stats['tx_dropped'],
    rxErrors: stats['rx_errors'],
    txErrors: stats['tx_errors'],
    rxFrameErrors: undefined,
    rxOverErrors: undefined,
    rxCrcErrors: undefined,
    collisions: undefined,
    durationSec: Math.floor(age / 1000),
    durationNsec: Math.floor((age % 1000) * 1e6),
  }
}
