/**
 * Flow monitors of a switch's connections (NXST_FLOW_MONITOR, OFPMP_FLOW_MONITOR): who is told of which changes
 * of rules. A connection that does not keep up is told so and, once it has read all, of what has changed since;
 * only that rules which it knows are gone does it hear meanwhile, since nothing would tell it later.
 */
import type { Dpif } from '../../engine/dpif.ts'
import type { FlowChangesEvent } from '../../engine/dpif-openflow.ts'
import type { FlowChange, FlowMonitorSpec, FlowSnapshot } from '../../engine/ofproto/flow-monitor.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { FLOW_REMOVED_REASONS } from '../../protocols/openflow/flow-removed.ts'
import type { Message } from '../../protocols/openflow/message.ts'
import { formsOf } from '../../protocols/openflow/message-forms.ts'
import {
  type FlowMonitorRequest,
  type FlowUpdate,
  FMF_ADD,
  FMF_INITIAL,
  FMF_INSTRUCTIONS,
  FMF_MODIFY,
  FMF_NO_ABBREV,
  FMF_ONLY_OWN,
  FMF_REMOVED,
} from '../../protocols/openflow/monitor.ts'
import { OF14 } from '../../protocols/openflow/version.ts'
import type { Connection } from './connection.ts'

/** Bytes of reports that wait for the peer before it is told no more, as in Open vSwitch. */
const PAUSE_BYTES = 128 << 10
/** Events that may wait while a list of rules is sent. */
const MAX_HELD = 1 << 16
/** Monitors of one connection. */
const MAX_MONITORS = 1024

/** Whose flow-mods a command carries out. */
export interface Origin {
  readonly connection: Connection
  /** Of each flow-mod. */
  readonly xids: readonly number[]
  /** All at once, or one after the other. */
  readonly atomic: boolean
}

interface Monitor {
  /** Its number at the dataplane, which knows those of all connections. */
  readonly key: number
  /** FMF_* */
  readonly flags: number
}

interface Watcher {
  readonly connection: Connection
  /** By the numbers that the connection knows them by. */
  readonly monitors: Map<number, Monitor>
  readonly byKey: Map<number, Monitor>
  /** Bytes of reports that the peer has not taken. */
  queued: number
  /** Of the last event before it was paused. */
  pausedAt: number | undefined
  resuming: boolean
  /** What happens while a list of rules is being sent comes behind it. */
  held: FlowChangesEvent[] | undefined
}

export class FlowMonitors {
  readonly #dpif: Dpif
  readonly #bridge: string
  readonly #watchers = new Map<Connection, Watcher>()
  readonly #origins = new Map<number, Origin>()
  #lastKey = 0
  #lastOrigin = 0

  constructor(dpif: Dpif, bridge: string) {
    this.#dpif = dpif
    this.#bridge = bridge
  }

  /** Whether anybody is to be told who changed what. */
  get watched(): boolean {
    return this.#watchers.size > 0
  }

  /** Carries out a command whose changes an origin is to be known for; they are reported before it is answered. */
  async caused<R>(origin: Origin, command: (origin: number) => Promise<R>): Promise<R> {
    if (this.#watchers.size === 0) return command(0)
    const id = ++this.#lastOrigin
    this.#origins.set(id, origin)
    try {
      return await command(id)
    } finally {
      this.#origins.delete(id)
    }
  }

  /** Carries out what one message asks, all or nothing, and answers it. */
  async request(
    c: Connection,
    message: Message,
    requests: readonly FlowMonitorRequest[],
  ): Promise<OfErrorName | undefined> {
    const watcher = this.#watchers.get(c) ?? newWatcher(c)
    const monitors = new Map(watcher.monitors)
    const specs: FlowMonitorSpec[] = []
    for (const r of requests) {
      const known = monitors.has(r.id)
      if (known === (r.command === 'add')) return known ? 'OFPMOFC_MONITOR_EXISTS' : 'OFPMOFC_UNKNOWN_MONITOR'
      monitors.delete(r.id)
      if (r.command === 'delete') continue
      if (monitors.size >= MAX_MONITORS) return message.version < OF14 ? 'OFPBRC_EPERM' : 'OFPMOFC_UNKNOWN'
      const key = ++this.#lastKey
      monitors.set(r.id, { key, flags: r.flags })
      specs.push(specOf(r, key))
    }
    const kept = new Set([...monitors.values()].map(({ key }) => key))
    const added = specs.filter(({ id }) => kept.has(id))
    const gone = [...watcher.byKey.keys()].filter((key) => !kept.has(key))
    replaceMonitors(watcher, monitors)
    this.#watchers.set(c, watcher)
    const initial = added
      .map(({ id }) => id)
      .filter((id) => (watcher.byKey.get(id)!.flags & FMF_INITIAL) !== 0)
    const put = added.length > 0 ? this.#dpif.flowMonitorPut(this.#bridge, added) : undefined
    const list = c.replyList(message, 'FLOW_MONITOR_STATS_REPLY', this.#list(watcher, initial, 0))
    await Promise.all([put, list, this.#delete(gone)])
    this.#release(watcher)
    if (watcher.monitors.size === 0) this.#watchers.delete(c)
    return undefined
  }

  async cancel(c: Connection, id: number): Promise<OfErrorName | undefined> {
    const watcher = this.#watchers.get(c)
    const monitor = watcher?.monitors.get(id)
    if (watcher === undefined || monitor === undefined) return 'OFPMOFC_UNKNOWN_MONITOR'
    watcher.monitors.delete(id)
    watcher.byKey.delete(monitor.key)
    if (watcher.monitors.size === 0) this.#watchers.delete(c)
    await this.#delete([monitor.key])
    return undefined
  }

  /** A connection has gone, and its monitors with it. */
  close(c: Connection): void {
    const watcher = this.#watchers.get(c)
    if (watcher === undefined) return
    this.#watchers.delete(c)
    this.#delete([...watcher.byKey.keys()]).catch(() => {
      // The bridge, or all of the dataplane, has gone.
    })
  }

  receive(event: FlowChangesEvent): void {
    for (const watcher of this.#watchers.values()) {
      if (!event.changes.some((change) => concerns(watcher, change))) continue
      if (watcher.held === undefined) this.#tell(watcher, event)
      else if (watcher.held.push(event) > MAX_HELD) {
        watcher.connection.destroy('it does not read what it is sent')
      }
    }
  }

  #tell(watcher: Watcher, event: FlowChangesEvent): void {
    const origin = this.#origins.get(event.origin)
    const own = origin?.connection === watcher.connection
    let updates: FlowUpdate[] = []
    let mod = -1
    let abbreviated = false
    for (const change of event.changes) {
      if (!concerns(watcher, change)) continue
      // Each flow-mod is reported by itself, the changes of a bundle together.
      if (change.mod !== mod && !(origin?.atomic ?? false)) {
        this.#sendList(watcher, updates)
        updates = []
        abbreviated = false
      }
      mod = change.mod
      const { pausedAt } = watcher
      if (pausedAt !== undefined && (change.event !== 'deleted' || change.flow.added > pausedAt)) continue
      const flags = flagsOf(watcher, change)
      const full = (flags & (FMF_NO_ABBREV | FMF_ONLY_OWN)) !== 0
      if (full || !own || pausedAt !== undefined) updates.push(updateOf(change, flags))
      else if (!abbreviated) {
        updates.push({ event: 'abbrev', xid: origin.xids[mod] ?? 0 })
        abbreviated = true
      }
    }
    this.#sendList(watcher, updates)
    if (watcher.pausedAt !== undefined || watcher.queued <= PAUSE_BYTES) return
    watcher.pausedAt = event.sequence
    this.#sendTurn(watcher, 'paused')
  }

  #sendList(watcher: Watcher, updates: readonly FlowUpdate[]): void {
    const { connection } = watcher
    const { version } = connection
    if (version === undefined || updates.length === 0) return
    watcher.queued += connection.sendList('FLOW_MONITOR_STATS_REPLY', updates, {
      form: formsOf('FLOW_MONITOR_STATS_REPLY', version)[0]!,
      onSent: (bytes) => {
        watcher.queued -= bytes
        this.#resumeIfRead(watcher)
      },
    })
  }

  /** From 1.4 on such a turn is an update among others, before, a message of its own. */
  #sendTurn(watcher: Watcher, event: 'paused' | 'resumed'): void {
    const { connection } = watcher
    if (connection.version! >= OF14) this.#sendList(watcher, [{ event }])
    else connection.send(event === 'paused' ? 'FLOW_MONITOR_PAUSED' : 'FLOW_MONITOR_RESUMED', undefined)
  }

  #resumeIfRead(watcher: Watcher): void {
    const { connection, queued, pausedAt, held, resuming } = watcher
    if (queued > 0 || pausedAt === undefined || held !== undefined || resuming || connection.closed) return
    watcher.resuming = true
    this.#resume(watcher, pausedAt)
      .catch(() => connection.destroy('its flows cannot be read'))
      .finally(() => {
        watcher.resuming = false
        this.#release(watcher)
      })
  }

  /** The peer has read all: it is told what has changed since it was told no more. */
  async #resume(watcher: Watcher, since: number): Promise<void> {
    for await (const updates of this.#list(watcher, [...watcher.byKey.keys()], since)) {
      this.#sendList(watcher, updates)
      await watcher.connection.writable()
      if (watcher.connection.closed) return
    }
    watcher.pausedAt = undefined
    this.#sendTurn(watcher, 'resumed')
  }

  /** Rules page by page. From the first page on, what else is to be reported waits for `#release`. */
  async *#list(watcher: Watcher, keys: readonly number[], since: number): AsyncGenerator<FlowUpdate[]> {
    for (let from: number | undefined = 0; from !== undefined && keys.length > 0; ) {
      const page: FlowSnapshot = await this.#dpif.flowMonitorSnapshot(this.#bridge, keys, since, from)
      watcher.held ??= []
      from = page.next
      yield page.rows.map((row) => updateOf(row, flagsOf(watcher, row)))
    }
  }

  #release(watcher: Watcher): void {
    const held = watcher.held ?? []
    watcher.held = undefined
    for (const event of held) this.#tell(watcher, event)
    this.#resumeIfRead(watcher)
  }

  async #delete(keys: readonly number[]): Promise<void> {
    if (keys.length > 0) await this.#dpif.flowMonitorDelete(this.#bridge, keys)
  }
}

function newWatcher(connection: Connection): Watcher {
  return {
    connection,
    monitors: new Map(),
    byKey: new Map(),
    queued: 0,
    pausedAt: undefined,
    resuming: false,
    held: undefined,
  }
}

function replaceMonitors(watcher: Watcher, monitors: ReadonlyMap<number, Monitor>): void {
  watcher.monitors.clear()
  watcher.byKey.clear()
  for (const [id, monitor] of monitors) {
    watcher.monitors.set(id, monitor)
    watcher.byKey.set(monitor.key, monitor)
  }
}

function specOf({ match, table, outPort, outGroup, flags }: FlowMonitorRequest, id: number): FlowMonitorSpec {
  const events = flags & (FMF_ADD | FMF_REMOVED | FMF_MODIFY)
  return { id, events, match, table, outPort, outGroup, cookie: 0n, cookieMask: 0n }
}

function concerns(watcher: Watcher, change: FlowChange): boolean {
  return change.monitors.some((key) => watcher.byKey.has(key))
}

/** What any of the monitors asks for that a change concerns. */
function flagsOf(watcher: Watcher, change: FlowChange): number {
  return change.monitors.reduce((flags, key) => flags | (watcher.byKey.get(key)?.flags ?? 0), 0)
}

function updateOf({ event, reason, flow }: FlowChange, flags: number): FlowUpdate {
  const { table, priority, cookie, idleTimeout, hardTimeout, match } = flow
  const actions = (flags & FMF_INSTRUCTIONS) !== 0 ? flow.actions : []
  const code = reason === undefined ? undefined : FLOW_REMOVED_REASONS.indexOf(reason)
  return { event, reason: code, table, priority, cookie, idleTimeout, hardTimeout, match, actions }
}
