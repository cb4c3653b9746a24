/**
 * The dataplane thread. Drain what the ports have, forward it, flush, take commands, do what is due; and when
 * nothing is left, sleep in poll() until a port, the door or a timer has something.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Commands } from './commands.ts'
import { Datapath } from './datapath.ts'
import { DPIF_COMMANDS, DpifError } from './dpif.ts'
import { FlowModIntake } from './flow-mods/intake.ts'
import { FlowModRing } from './flow-mods/ring.ts'
import { BURST, CELL_STRIDE, PacketPool } from './memory/packet-pool.ts'
import type { LinkState, Netdev } from './netdev/netdev.ts'
import { PacketInWriter } from './packet-in-ring.ts'
import { Routers } from './router/routers.ts'
import { now } from './sys/clock.ts'
import { mapMemory } from './sys/memory.ts'
import { POLL_ERROR, Poller } from './sys/poller.ts'
import { systemRandom } from './sys/random.ts'
import { WakeFd } from './sys/wake-fd.ts'
import { SystemDevices } from './system-devices.ts'

/** What the thread is given by who starts it. */
export interface WorkerOptions {
  readonly port: MessagePort
  /** Memory of the ring of flow-mods. */
  readonly flowMods: SharedArrayBuffer
  readonly wakeFd: number
  readonly cells: number
  readonly flowLimit: number
  /** Never sleep: lower latency for a whole core. */
  readonly busyPoll: boolean
  /** The ring for packets to controllers; who reads it is woken by a message. */
  readonly packetIns: SharedArrayBuffer
}
/** There are packets for controllers in the ring. */
export interface PacketInsMessage {
  readonly packetIns: true
}

/** A command on its way in, and its answer. */
export interface Call {
  readonly id: number
  readonly name: string
  readonly args: unknown[]
}
export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

/** Devices watched at the most. */
const MAX_DEVICES = 4096
/** Bursts taken from one port before the others have their turn. */
const BURSTS_PER_TURN = 4
/** How often devices are asked for their state, in milliseconds. */
const REFRESH = 250
/** Rounds without a look at the door while there is traffic. */
const ROUNDS_PER_COMMAND = 16
/**
 * Who sends flow-mods one by one sends the next when the last is done: it is looked out for as long as that takes,
 * in milliseconds, since falling asleep and being woken takes longer.
 */
const LINGER = 0.1

interface Attached {
  readonly portNo: number
  readonly device: Netdev
  slot: number
  known: LinkState
}

const options = workerData as WorkerOptions
const memory = mapMemory(options.cells * CELL_STRIDE)
const pool = new PacketPool(options.cells, memory.bytes, memory.address)
const wake = new WakeFd(options.wakeFd)
const poller = new Poller(MAX_DEVICES + 1)
const wakeSlot = poller.add(wake.fd)
const packetIns = new PacketInWriter(options.packetIns)
let attached: Attached[] = []
let running = true

const ring = new FlowModRing(options.flowMods)
/** To the control side; it knows by the ring what is still to come this way. */
function post(message: unknown): void {
  options.port.postMessage(message)
  ring.countPosted()
}

const datapath = new Datapath({
  pool,
  random: systemRandom(),
  routers: (host) => new Routers(host),
  emit: (event) => post({ event }),
  packetIn: (bridge, id, template, bytes, at, length) =>
    packetIns.put(bridge, id, template, bytes, at, length),
  flowLimit: options.flowLimit,
})
const commands = new Commands(datapath, new SystemDevices(pool), {
  added: (portNo, device) => {
    attached = [...attached, { portNo, device, slot: poller.add(device.fd), known: device.state }]
  },
  removed: (portNo) => {
    const gone = attached.find((a) => a.portNo === portNo)
    if (gone !== undefined && gone.slot >= 0) poller.remove(gone.slot)
    attached = attached.filter((a) => a !== gone)
  },
})

const flowMods = new FlowModIntake(datapath, ring, post)

function answerCommands(): void {
  for (;;) {
    const received = receiveMessageOnPort(options.port)
    if (received === undefined) return
    const call = received.message as Call
    if (call.name === 'close') {
      for (const name of [...datapath.topology.portsByName.keys()]) commands.portDelete(name)
      running = false
    }
    post(answer(call))
  }
}

function answer(call: Call): Answer {
  if (call.name === 'close') return { id: call.id }
  if (call.name === 'flowModsOpen') flowMods.open(call.args[0] as number, call.args[1] as string)
  if (call.name === 'flowModsClose') flowMods.close(call.args[0] as number)
  if (call.name.startsWith('flowMods')) return { id: call.id }
  try {
    if (!(DPIF_COMMANDS as readonly string[]).includes(call.name)) {
      throw new DpifError('EINVAL', `no such command: ${call.name}`)
    }
    const byName = commands as unknown as Record<string, (...args: unknown[]) => unknown>
    return { id: call.id, value: byName[call.name](...call.args) }
  } catch (error) {
    const code = error instanceof DpifError ? error.code : 'EIO'
    const message = error instanceof DpifError ? error.message : String((error as Error).stack)
    return { id: call.id, error: { code, message } }
  }
}

/** One turn of all ports; the frames received. */
function turn(burst: Uint32Array): number {
  let frames = 0
  for (let i = 0; i < attached.length; i++) {
    const { device, portNo, slot } = attached[i]
    if (slot < 0) continue
    for (let n = 0; n < BURSTS_PER_TURN; n++) {
      const count = device.rx(burst, BURST)
      if (count > 0) datapath.receive(burst, count, portNo)
      frames += count
      if (count < BURST) break
    }
  }
  if (frames > 0) for (let i = 0; i < attached.length; i++) attached[i].device.flush()
  return frames
}

/** Asks devices how they are, all of them or those poll() complained about, and reports what changed. */
function refreshDevices(all: boolean): void {
  for (const a of attached) {
    if (!all && (a.slot < 0 || (poller.ready(a.slot) & POLL_ERROR) === 0)) continue
    a.device.refresh()
    if (a.device.state === a.known) continue
    a.known = a.device.state
    if (a.known === 'gone' && a.slot >= 0) {
      // A descriptor whose device is gone is ready for ever.
      poller.remove(a.slot)
      a.slot = -1
    }
    commands.linkChanged(a.portNo)
  }
}

const burst = new Uint32Array(BURST)
let nextRefresh = 0
let rounds = 0
let lingers = 0
while (running) {
  datapath.now = now()
  const frames = turn(burst)
  if (flowMods.take() > 0) lingers = datapath.now + LINGER
  if (frames === 0 || ++rounds >= ROUNDS_PER_COMMAND) {
    rounds = 0
    if (wake.drain()) answerCommands()
  }
  if (datapath.now >= datapath.pollAt()) datapath.poll(datapath.now)
  if (datapath.now >= nextRefresh) {
    nextRefresh = datapath.now + REFRESH
    refreshDevices(true)
  }
  if (packetIns.mustWake) post({ packetIns: true } satisfies PacketInsMessage)
  if (frames > 0 || options.busyPoll || datapath.now < lingers) continue
  datapath.captures.flush()
  datapath.samples.flush()
  for (let i = 0; i < attached.length; i++) attached[i].device.flush()
  const due = Math.min(datapath.pollAt(), nextRefresh)
  if (!ring.sleep()) continue
  poller.wait(Math.max(0, due - now()))
  ring.awake()
  if (poller.ready(wakeSlot) !== 0) rounds = ROUNDS_PER_COMMAND
  refreshDevices(false)
}
options.port.close()
