/**
 * A cluster under virtual time: messages are lost, late and out of order, disks are slow, servers crash and come back
 * with what was on their disks. All chance comes from one seed. What must never happen is looked for after every step.
 */

import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { randomUuid, type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { Raft } from '../../protocols/raft/raft.ts'
import {
  headerJson,
  parseHeader,
  parseRecord,
  type RaftHeader,
  type RaftRecord,
  recordJson,
} from '../../protocols/raft/record.ts'
import { type CommandStatus, parseRpc, type Rpc, rpcParameter } from '../../protocols/raft/rpc.ts'
import type { RaftSink } from '../../protocols/raft/state.ts'
import { type Random, seededRandom } from '../../protocols/random.ts'

export interface Mishaps {
  /** Of so many messages one is lost; 0: none. */
  readonly loss: number
  /** Ms that a message takes at most. */
  readonly delay: number
  /** Ms that a flush takes at most. */
  readonly flush: number
  /** Of so many ticks of 100 ms one crashes a server; 0: none. */
  readonly crashes: number
  /** Of so many ticks one cuts a server off for a while; 0: none. */
  readonly partitions: number
}

const CALM: Mishaps = { loss: 0, delay: 5, flush: 5, crashes: 0, partitions: 0 }

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** The transactions that a server has applied, in their order. */
type Applied = readonly Uuid[]

class Disk {
  header: RaftHeader
  records: RaftRecord[] = []
  /** How many of the records survive a crash. */
  safe = 0

  constructor(header: RaftHeader) {
    this.header = header
  }

  append(record: RaftRecord): void {
    // As the file has it.
    this.records.push(parseRecord(JSON.parse(JSON.stringify(recordJson(record)))))
  }

  replace(header: RaftHeader, records: readonly RaftRecord[]): void {
    this.header = parseHeader(JSON.parse(JSON.stringify(headerJson(header))))
    this.records = [...records]
    this.safe = records.length
  }
}

export class SimulatedServer {
  readonly sid: Uuid
  readonly disk: Disk
  raft: Raft | undefined
  applied: Applied = []
  appliedIndex = 0
  cutOff = false
  /** It was removed from the cluster while it was down. */
  removed = false
  /** Those to whom the connection was lost, and is not there again. */
  readonly broken = new Set<Uuid>()
  readonly #simulation: RaftSimulation
  #flushing = false
  /** Counts its lives: what was meant for an earlier one is lost. */
  life = 0

  constructor(simulation: RaftSimulation, header: RaftHeader) {
    this.#simulation = simulation
    this.sid = header.sid
    this.disk = new Disk(header)
  }

  get running(): boolean {
    return this.raft !== undefined && !this.raft.state.over
  }

  start(): void {
    if (this.removed) return
    const { now, random } = this.#simulation
    this.life++
    this.#flushing = false
    this.broken.clear()
    this.applied = []
    this.appliedIndex = 0
    const { header, records } = this.disk
    const sink: RaftSink = {
      append: (record) => {
        this.disk.append(record)
        return true
      },
      replace: (given, all) => {
        this.disk.replace(given, all)
        return true
      },
      connected: (to) => this.#simulation.reaches(this, to),
      send: (to, rpc) => this.#simulation.send(this, to, rpc),
      apply: ({ data, eid }, index) => {
        const snapshot = (data as { eids?: Applied }).eids
        this.applied = snapshot ?? [...this.applied, eid]
        this.appliedIndex = index
        this.#simulation.checkApplied(this)
      },
      info: () => {},
      warn: () => {},
      crash: () => {},
    }
    try {
      this.raft = new Raft(header, [...records], now, random, sink)
    } catch (error) {
      if (!(error instanceof OvsdbError) || error.details !== 'server does not belong to cluster') throw error
      this.removed = true
      return
    }
    if (this.raft.state.joining) this.join()
    else for (const to of this.raft.state.servers.keys()) this.greet(to)
    this.touched()
  }

  greet(to: Uuid): void {
    if (to !== this.sid && this.running) this.#simulation.send(this, to, this.raft!.greeting())
  }

  /** Of what was not flushed some may be on the disk nevertheless. */
  crash(): void {
    const { disk } = this
    const kept = disk.safe + this.#simulation.below(disk.records.length - disk.safe + 1)
    disk.records.length = kept
    disk.safe = kept
    this.raft = undefined
    this.life++
    this.#simulation.crashed(this.sid)
  }

  /** To be called after every call into the machine. */
  touched(): void {
    const { raft } = this
    if (raft === undefined) return
    this.#simulation.checkLeader(this)
    if (this.#flushing || this.disk.safe === this.disk.records.length) return
    this.#flushing = true
    const { life } = this
    const { awaited } = raft
    const count = this.disk.records.length
    const { header } = this.disk
    this.#simulation.after(this.#simulation.below(this.#simulation.mishaps.flush) + 1, () => {
      if (this.life !== life) return
      this.#flushing = false
      // A file that was written anew meanwhile is whole.
      if (header === this.disk.header) this.disk.safe = Math.max(this.disk.safe, count)
      raft.synced(this.#simulation.now, awaited)
      this.touched()
    })
  }

  poll(): void {
    const { raft } = this
    if (raft === undefined) return
    const at = raft.pollAt()
    if (at === undefined || at > this.#simulation.now) return
    if (raft.poll(this.#simulation.now)) this.join()
    this.touched()
  }

  /** Asks all of the cluster to be added. */
  join(): void {
    for (const { sid, raft } of this.#simulation.servers) if (raft?.state.joining === false) this.greet(sid)
  }
}

export class RaftSimulation {
  now = 1_000_000
  readonly random: Random
  mishaps: Mishaps = CALM
  readonly servers: SimulatedServer[] = []
  readonly #events: Event[] = []
  #order = 0
  readonly #leaders = new Map<number, Uuid>()
  readonly #agreed = new Map<number, string>()
  /** Transactions of which somebody was told that they are committed. */
  readonly acknowledged = new Set<Uuid>()
  /** How often each status was told. */
  readonly told = new Map<CommandStatus, number>()
  elections = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  below(n: number): number {
    return Math.floor((this.random() / 2 ** 32) * n)
  }

  after(delay: number, run: () => void): void {
    this.#events.push({ at: this.now + delay, order: this.#order++, run })
  }

  /** A cluster of so many servers, all of which know each other. */
  create(count: number): void {
    const cid = randomUuid(this.random)
    const servers = new Map(
      Array.from({ length: count }, (_, i) => [randomUuid(this.random), `tcp:10.0.0.${i + 1}:6644`]),
    )
    const snapshot = {
      term: 1,
      data: { eids: [] },
      eid: randomUuid(this.random),
      servers,
      electionTimer: undefined,
    }
    for (const [sid, localAddress] of servers) {
      const header = { sid, cid, name: 'test', localAddress, beginning: { index: 1, snapshot } }
      this.#add(new SimulatedServer(this, header))
    }
  }

  /** One more, that asks to be added. */
  join(): SimulatedServer {
    const header = {
      sid: randomUuid(this.random),
      cid: ZERO_UUID,
      name: 'test',
      localAddress: `tcp:10.0.0.${this.servers.length + 1}:6644`,
      beginning: { remoteAddresses: ['tcp:10.0.0.1:6644'] },
    }
    const server = new SimulatedServer(this, header)
    this.#add(server)
    server.join()
    return server
  }

  #add(server: SimulatedServer): void {
    this.servers.push(server)
    server.start()
  }

  get leader(): SimulatedServer | undefined {
    const leaders = this.servers.filter(({ raft, running }) => running && raft!.state.role === 'leader')
    return leaders.sort((a, b) => b.raft!.state.term - a.raft!.state.term)[0]
  }

  reaches(from: SimulatedServer, to: Uuid): boolean {
    const target = this.servers.find(({ sid }) => sid === to)
    return target?.running === true && !from.cutOff && !target.cutOff
  }

  send(from: SimulatedServer, to: Uuid, rpc: Rpc): boolean {
    if (!this.reaches(from, to)) {
      this.#breakConnection(from, to)
      return false
    }
    const { loss, delay } = this.mishaps
    const target = this.servers.find(({ sid }) => sid === to)!
    if (loss > 0 && this.below(loss) === 0) {
      this.#breakConnection(from, to)
      return true
    }
    const { cid } = from.raft?.state ?? { cid: ZERO_UUID }
    const text = JSON.stringify(rpcParameter({ cluster: cid, to, from: from.sid, rpc }))
    this.after(this.below(delay) + 1, () => {
      if (!this.reaches(from, to)) {
        this.#breakConnection(from, to)
        return
      }
      // Who is asked by somebody to join whom it does not know itself says nothing that counts.
      if (cid === ZERO_UUID && rpc.method !== 'add_server_request') return
      target.raft!.receive(this.now, parseRpc(rpc.method, JSON.parse(text) as Json)!)
      target.touched()
    })
    return true
  }

  /** What is lost is lost with its connection, as both ends see, and make it anew. */
  #breakConnection(from: SimulatedServer, to: Uuid): void {
    this.#breakEnd(from, to)
    const other = this.servers.find(({ sid }) => sid === to)
    if (other?.running) this.#breakEnd(other, from.sid)
  }

  #breakEnd(from: SimulatedServer, to: Uuid): void {
    if (from.broken.has(to)) return
    from.broken.add(to)
    const { life } = from
    const connect = () => {
      if (from.life !== life || !from.running) return
      if (!this.reaches(from, to)) {
        this.after(200, connect)
        return
      }
      from.broken.delete(to)
      from.raft!.reconnected(to)
      from.greet(to)
    }
    this.after(this.below(200), connect)
  }

  crashed(sid: Uuid): void {
    for (const server of this.servers) if (server.running) this.#breakConnection(server, sid)
  }

  /** Has a server execute a transaction on what it has applied. */
  execute(server: SimulatedServer): void {
    const { raft } = server
    if (raft === undefined) return
    let eid: Uuid | undefined
    let status: CommandStatus | undefined
    const settle = () => {
      if (eid !== undefined && status === 'success') this.acknowledged.add(eid)
    }
    const { log, lastApplied } = raft.state
    // Behind what is agreed upon, or what may be.
    const prereq = log.eid(this.below(2) === 0 ? log.last : lastApplied)
    eid = raft.execute(this.now, { n: this.below(1000) }, prereq, (told) => {
      status = told
      this.told.set(told, (this.told.get(told) ?? 0) + 1)
      settle()
    })
    settle()
    server.touched()
  }

  snapshot(server: SimulatedServer): void {
    const { applied } = server
    server.raft?.takeSnapshot(this.now, { data: { eids: applied } })
    server.touched()
  }

  /** Lets time pass, with what may go wrong meanwhile. `tick` is called every 100 ms. */
  run(duration: number, mishaps: Mishaps, tick: () => void = () => {}): void {
    this.mishaps = mishaps
    const end = this.now + duration
    let nextTick = this.now
    while (this.now < end) {
      if (this.now >= nextTick) {
        nextTick += 100
        this.#mishap()
        tick()
      }
      for (const server of this.servers) server.poll()
      const times = this.servers.map(({ raft }) => raft?.pollAt() ?? Number.POSITIVE_INFINITY)
      const next = Math.min(nextTick, ...times, ...this.#events.map(({ at }) => at))
      this.now = Math.max(this.now, next)
      const due = this.#events.filter(({ at }) => at <= this.now)
      due.sort((a, b) => a.at - b.at || a.order - b.order)
      for (const event of due) {
        this.#events.splice(this.#events.indexOf(event), 1)
        event.run()
      }
    }
  }

  /** All that was cut off or has crashed returns, and nothing goes wrong. */
  heal(): void {
    for (const server of this.servers) {
      server.cutOff = false
      if (server.raft === undefined) server.start()
    }
  }

  #mishap(): void {
    const { crashes, partitions } = this.mishaps
    if (crashes > 0 && this.below(crashes) === 0) {
      // Now and then the power fails for all.
      const some = this.servers[this.below(this.servers.length)]
      for (const server of this.below(3) === 0 ? this.servers : [some]) this.#crash(server)
    }
    const other = this.servers[this.below(this.servers.length)]
    if (partitions > 0 && this.below(partitions) === 0 && !other.cutOff) {
      other.cutOff = true
      this.after(500 + this.below(4000), () => {
        other.cutOff = false
      })
    }
  }

  #crash(server: SimulatedServer): void {
    if (!server.running) return
    server.crash()
    this.after(100 + this.below(3000), () => {
      if (server.raft === undefined) server.start()
    })
  }

  /** There are never two leaders in a term. */
  checkLeader({ raft, sid }: SimulatedServer): void {
    if (raft!.state.role !== 'leader') return
    const { term } = raft!.state
    const known = this.#leaders.get(term)
    if (known === undefined) this.elections++
    else if (known !== sid) throw new Error(`two leaders in term ${term}`)
    this.#leaders.set(term, sid)
  }

  /** What has been applied up to an index is the same for all, and for ever. */
  checkApplied({ applied, appliedIndex }: SimulatedServer): void {
    const text = applied.join()
    const known = this.#agreed.get(appliedIndex)
    if (known !== undefined && known !== text) throw new Error(`servers differ at index ${appliedIndex}`)
    this.#agreed.set(appliedIndex, text)
  }
}
