/**
 * Makes one switch behave as a learning switch or a hub: every packet that no flow takes comes here, its source is
 * learned, and it is sent on, where the destination is known with a flow that takes the next ones.
 */

import { W_DL_DST, W_DL_MIX, W_DL_SRC, W_IN_PORT, W_VLAN } from '../../protocols/flow-key.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { NO_BUFFER, newFlowMod } from '../../protocols/openflow/flow-mod.ts'
import { emptyMatch, type Match, matchInPort, setMatchBits } from '../../protocols/openflow/match.ts'
import type { Message } from '../../protocols/openflow/message.ts'
import type { PacketIn } from '../../protocols/openflow/packet-in.ts'
import { metadataOfPort } from '../../protocols/openflow/packet-out.ts'
import { OFPP_CONTROLLER, OFPP_FLOOD, OFPP_NONE, OFPP_NORMAL } from '../../protocols/openflow/port.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import { OF13 } from '../../protocols/openflow/version.ts'
import { applyChanges } from '../ofctl/flow-changes.ts'
import { matchOfKey, packetKey } from '../ofctl/packet-flow.ts'
import type { SwitchConnection } from '../ofctl/switch-connection.ts'
import { portsOf, withNames } from '../ofctl/switch-names.ts'
import type { Clock } from '../services/scheduler.ts'
import { MacTable } from './mac-table.ts'

export interface LearningSwitchOptions {
  /** Flood every packet. */
  readonly hub: boolean
  /** Leave the choice of the port to the switch where the destination is known. */
  readonly normal: boolean
  /** Set up flows; else every packet comes here. */
  readonly flows: boolean
  /** Seconds after which an unused flow goes; 0 for never. */
  readonly maxIdle: number
  /** Flows match the addresses and VLAN only, not what is in the packet. */
  readonly wildcards: boolean
  /** Queue to send by; undefined: the port's own. */
  readonly queue: number | undefined
  /** Queues by the name of the port that packets come in by. */
  readonly portQueues: ReadonlyMap<string, number>
  /** Flows to begin with, as lines of text. */
  readonly initialFlows: readonly string[]
}

/** The switch sends packets here whole and keeps none, so that each can be sent on. */
const MISS_SEND_LEN = 0xffff
/** Bytes that may wait for a switch that reads slowly; packets are passed over meanwhile. */
const MAX_BACKLOG = 4 * 1024 * 1024

interface Addresses {
  readonly source: string
  readonly destination: string
  readonly vlan: number
}

function addressesOf(packet: Uint8Array, key: Uint32Array): Addresses {
  const text = (o: number): string => Buffer.from(packet.subarray(o, o + 6)).toString('hex')
  return { destination: text(0), source: text(6), vlan: (key[W_VLAN]! >>> 16) & 0xfff }
}

/** 01:80:c2:00:00:0x is for the neighbour alone (IEEE 802.1Q §8.6.3). */
const isReserved = (mac: string): boolean => /^0180c200000[0-9a-f]$/.test(mac)
const isMulticast = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) !== 0

/** The addresses and the VLAN of a match on more. */
function withoutContent({ value, mask }: Match): Match {
  const match = emptyMatch()
  for (const word of [W_DL_DST, W_DL_MIX, W_DL_SRC]) setMatchBits(match, word, value[word]!, mask[word]!)
  setMatchBits(match, W_VLAN, value[W_VLAN]!, 0xffff_0000)
  return match
}

export class LearningSwitch {
  readonly #connection: SwitchConnection
  readonly #options: LearningSwitchOptions
  readonly #clock: Clock
  readonly #macs = new MacTable()
  readonly #queues = new Map<number, number>()

  private constructor(connection: SwitchConnection, options: LearningSwitchOptions, clock: Clock) {
    this.#connection = connection
    this.#options = options
    this.#clock = clock
  }

  /** Sets the switch up; answers its datapath id. Rejects when it refuses or goes. */
  static async start(
    connection: SwitchConnection,
    options: LearningSwitchOptions,
    clock: Clock,
  ): Promise<bigint> {
    const self = new LearningSwitch(connection, options, clock)
    connection.listen((message) => self.#take(message))
    const { body: features } = await connection.request('FEATURES_REQUEST', undefined, 'FEATURES_REPLY')
    await self.#begin()
    return features.datapathId
  }

  async #begin(): Promise<void> {
    const c = this.#connection
    const { initialFlows, portQueues } = this.#options
    if (portQueues.size > 0) {
      for (const { name, port } of await portsOf(c)) {
        const queue = portQueues.get(name)
        if (queue !== undefined) this.#queues.set(port, queue)
      }
    }
    await c.change('SET_CONFIG', {
      frag: 'normal',
      invalidTtlToController: undefined,
      missSendLen: MISS_SEND_LEN,
    })
    // From 1.3 on a switch drops what no flow takes, unless a flow of the lowest priority says otherwise.
    if (c.version >= OF13) {
      const toController: OfAction = { type: 'output', port: OFPP_CONTROLLER, maxLen: MISS_SEND_LEN }
      await c.change('FLOW_MOD', newFlowMod({ actions: [toController], priority: 0, table: 0 }))
    }
    const mods = await withNames(c, true, (names) => initialFlows.map((text) => parseFlowLine(text, names)))
    await applyChanges(
      c,
      mods.map((body) => ({ type: 'FLOW_MOD' as const, body })),
    )
  }

  #take(message: Message): void {
    if (message.type === 'PACKET_IN' && this.#connection.backlog < MAX_BACKLOG) this.#packet(message.body)
  }

  #packet(p: PacketIn): void {
    const inPort = matchInPort(p.metadata)
    const key = packetKey(p.packet)
    if (inPort === undefined || key === undefined) return
    const addresses = addressesOf(p.packet, key)
    const outPort = this.#choose(addresses, inPort)
    const actions = this.#actions(outPort, inPort)
    const { flows, hub, maxIdle, wildcards } = this.#options
    if (flows && (hub || outPort !== OFPP_FLOOD)) {
      const exact = matchOfKey(key, false)
      const match = wildcards ? withoutContent(exact) : exact
      setMatchBits(match, W_IN_PORT, inPort, 0xffff_ffff)
      // Above the flow that brings packets here.
      const mod = newFlowMod({ match, actions, priority: 1, idleTimeout: maxIdle })
      this.#connection.send('FLOW_MOD', { ...mod, table: 0xff, bufferId: p.bufferId })
      if (p.bufferId !== NO_BUFFER) return
    }
    // A buffered packet is let go even if it is sent nowhere.
    const whole = p.packet.length >= p.totalLength
    if (p.bufferId === NO_BUFFER && (actions.length === 0 || !whole)) return
    const packet = p.bufferId === NO_BUFFER ? p.packet : new Uint8Array(0)
    this.#connection.send('PACKET_OUT', {
      packet,
      bufferId: p.bufferId,
      metadata: metadataOfPort(inPort),
      actions,
    })
  }

  #choose({ source, destination, vlan }: Addresses, inPort: number): number {
    if (this.#options.hub) return OFPP_FLOOD
    const now = this.#clock.now()
    if (!isMulticast(source)) this.#macs.learn(now, vlan, source, inPort)
    if (isReserved(destination)) return OFPP_NONE
    const port = isMulticast(destination) ? undefined : this.#macs.lookup(now, vlan, destination)
    if (port === undefined) return OFPP_FLOOD
    // It has reached its destination where it came from.
    if (port === inPort) return OFPP_NONE
    return this.#options.normal ? OFPP_NORMAL : port
  }

  #actions(port: number, inPort: number): OfAction[] {
    if (port === OFPP_NONE) return []
    const output: OfAction = { type: 'output', port, maxLen: 0 }
    const queue = this.#queues.get(inPort) ?? this.#options.queue
    if (queue === undefined || port === OFPP_NORMAL) return [output]
    return port === OFPP_FLOOD ? [{ type: 'set_queue', queue }, output] : [{ type: 'enqueue', port, queue }]
  }
}
