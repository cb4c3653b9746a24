/**
 * The dataplane thread. Drain what the ports have, forward it, flush, take commands, do what is due; and when
 * nothing is left, sleep in poll() until a port, the door or a timer has something.
 */
import './packet-memory.ts'
import { availableParallelism } from 'node:os'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Commands } from './commands.ts'
import { Datapath } from './datapath.ts'
import { Doorbell, type DoorbellPlug } from './doorbell.ts'
import { DPIF_COMMANDS, DpifError, type DpifEvent } from './dpif.ts'
import type { PacketInTemplate } from './dpif-pipeline.ts'
import type { WorkerBirth } from './dpif-worker.ts'
import { FlowModIntake, type FlowModNews } from './flow-mods/intake.ts'
import { Patience } from './flow-mods/patience.ts'
import { FlowModRing } from './flow-mods/ring.ts'
import { FrameReader, FrameWriter } from './frame-ring.ts'
import { Lookout } from './lookout.ts'
import type { Gro } from './netdev/coalescer.ts'
import { Outbox } from './outbox.ts'
import { PacedWake } from './paced-wake.ts'
import { pool } from './packet-memory.ts'
import { Rehearsal } from './rehearsal.ts'
import { Routers } from './router/routers.ts'
import { ServedPorts } from './served-ports.ts'
import { AnswerIntake, type AnswerWay, type ServiceAddress } from './service-frames.ts'
import { settled } from './settled.ts'
import { elapsed, now, setClock } from './sys/clock.ts'
import { collectAlone } from './sys/collector.ts'
import { Poller } from './sys/poller.ts'
import { systemRandom } from './sys/random.ts'
import { SystemDevices } from './system-devices.ts'

/** What the thread is told to be. */
export interface WorkerOptions {
  /** Memory of the ring of flow-mods. */
  readonly flowMods: SharedArrayBuffer
  readonly bell: DoorbellPlug
  /** Never sleep: lower latency for a whole core. */
  readonly busyPoll: boolean
  /** Which small frames of a flow are joined on their way to a TAP. */
  readonly gro: Gro | undefined
  /**
   * The rings for packets to controllers and datagrams to services, whose reader is woken by a message, and that by
   * which services answer.
   */
  readonly frames: {
    readonly packetIns: SharedArrayBuffer
    readonly services: SharedArrayBuffer
    readonly answers: SharedArrayBuffer
  }
}
/** There are frames for the control side in its rings. */
export interface FramesMessage {
  readonly frames: true
}

/** What goes to the control side, several at once. */
export type News = Answer | { readonly event: DpifEvent } | FlowModNews | FramesMessage

/** A command on its way in, and its answer; commands come several at once, too. */
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
/** How often devices are asked for their state, in milliseconds. */
const REFRESH = 250
/** How long a command waits for the end of a turn of the ports, in milliseconds. */
const COMMAND_PATIENCE = 1
/** Rounds without a look at the door while there is traffic. */
const ROUNDS_PER_COMMAND = 16
/**
 * Who sends flow-mods one by one sends the next when the last is done: it is looked out for as long as that takes,
 * in milliseconds, since falling asleep and being woken takes longer.
 */
const LINGER = 0.15
/** The same for the next frame; where there is one processor only, who stays awake keeps its sender from running. */
const AWAKE = availableParallelism() > 1 ? 0.05 : 0
/** Milliseconds without a command after which what traffic needs can be rehearsed. */
const CALM = 500
/** The same without a frame: a first step takes tens of milliseconds, and traffic that is there warms its own way. */
const LULL = 20

collectAlone()
const { port, told } = workerData as WorkerBirth
Atomics.wait(new Int32Array(told), 0, 0)
const options = receiveMessageOnPort(port)!.message as WorkerOptions
const bell = new Doorbell(options.bell)
const poller = new Poller(MAX_DEVICES + 1)
const bellSlot = poller.add(bell.fd)
const packetIns = new FrameWriter<PacketInTemplate>(options.frames.packetIns)
const services = new FrameWriter<ServiceAddress>(options.frames.services)
const servicesWake = new PacedWake(services)
const ring = new FlowModRing(options.flowMods)
/** To the control side; it knows by the ring what is still to come this way. */
const outbox = new Outbox<News>((news) => {
  port.postMessage(news)
  ring.countPosted()
})
let running = true
/** Datagrams that services were handed; of a frame for two of them there are two. */
let served = 0

const datapath = new Datapath({
  pool,
  random: systemRandom(),
  routers: (host) => new Routers(host),
  emit: (event) => outbox.put({ event }),
  packetIn: (bridge, id, template, bytes, at, length) =>
    packetIns.put(bridge, id, template, bytes, at, length),
  service: (iface, address, bytes, at, length) => {
    served++
    return services.put(iface, iface, address, bytes, at, length)
  },
})
/** When the turn that is under way has begun. */
let begun = 0
/** A command has waited long enough for a turn to end. Frames that are flooded to a thousand ports take their time. */
const commandWaits = () => bell.rung && elapsed() - begun > COMMAND_PATIENCE
const ports = new ServedPorts(
  datapath,
  poller,
  (portNo) => commands.linkChanged(portNo),
  commandWaits,
  () => served,
)
const commands = new Commands(datapath, new SystemDevices(pool, options.gro), {
  added: (portNo, device) => ports.add(portNo, device),
  removed: (portNo) => ports.remove(portNo),
})
const flowMods = new FlowModIntake(datapath, ring, outbox)
const answers = new AnswerIntake(new FrameReader<AnswerWay>(options.frames.answers), commands, datapath.drops)

function answerCommands(): void {
  for (;;) {
    const received = receiveMessageOnPort(port)
    if (received === undefined) return
    calmAt = now() + CALM
    for (const call of received.message as Call[]) {
      if (call.name === 'close') {
        for (const name of [...datapath.topology.portsByName.keys()]) commands.portDelete(name)
        running = false
      }
      outbox.put(answer(call))
    }
  }
}

function answer(call: Call): Answer {
  if (call.name === 'close') return { id: call.id }
  if (call.name === 'flowModsOpen') flowMods.open(call.args[0] as number, call.args[1] as string)
  if (call.name === 'flowModsClose') flowMods.close(call.args[0] as number)
  if (call.name.startsWith('flowMods')) return { id: call.id }
  if (call.name === 'clockSet') {
    setClock(call.args[0] as number, call.args[1] as boolean)
    datapath.poll(now())
    return { id: call.id }
  }
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

const rehearsal = new Rehearsal()
/** From when on it begins or goes on, unless there is another command. */
let calmAt = Number.POSITIVE_INFINITY

let nextRefresh = 0
let rounds = 0
const patience = new Patience(LINGER)
const lookout = new Lookout(AWAKE)
for (;;) {
  begun = elapsed()
  datapath.now = now()
  const frames = ports.turn(begun)
  const mods = flowMods.take()
  if (mods > 0) patience.begin(elapsed())
  answers.take(begun)
  if (frames === 0 || ++rounds >= ROUNDS_PER_COMMAND || commandWaits()) {
    rounds = 0
    if (bell.heard()) answerCommands()
    if (!running) break
  }
  if (datapath.now >= datapath.pollAt()) datapath.poll(datapath.now)
  if (datapath.now >= nextRefresh) {
    nextRefresh = datapath.now + REFRESH
    ports.refresh(true)
  }
  if (packetIns.mustWake || servicesWake.due(begun)) outbox.put({ frames: true })
  if (frames === 0) {
    // What commands and timers have sent.
    ports.flush()
    datapath.captures.flush()
    datapath.samples.flush()
  }
  outbox.flush()
  if (mods > 0) calmAt = datapath.now + CALM
  else if (frames > 0) calmAt = Math.max(calmAt, datapath.now + LULL)
  else if (datapath.now >= calmAt && !rehearsal.done) {
    // What is compiled by then is what a start needs.
    if (!rehearsal.begun) settled.publish(undefined)
    rehearsal.step()
  }
  if (options.busyPoll) {
    ports.lookEverywhere()
    continue
  }
  if (ports.busy) {
    ports.glance()
    continue
  }
  // Who waits for a service leaves it the processor.
  if (ports.passedOn > 0) lookout.seen(begun)
  if (lookout.lasts(begun)) {
    if (frames > 0) ports.glance()
    continue
  }
  if (mods > 0 || answers.dueAt() <= begun || patience.lasts(begun, elapsed())) {
    ports.wait(0)
    continue
  }
  if (frames > 0) ports.flush()
  if (!bell.doze()) continue
  if (ring.empty) {
    const next = Math.min(datapath.pollAt(), nextRefresh, rehearsal.done ? nextRefresh : calmAt)
    const rested = ports.rest(begun, servicesWake.notBefore)
    const soonest = Math.min(answers.dueAt(), servicesWake.dueAt(), rested)
    const asleep = elapsed()
    ports.wait(Math.max(0, Math.min(next - now(), soonest - asleep)))
    lookout.slept(elapsed() - asleep)
  }
  bell.awake(poller.ready(bellSlot) !== 0)
}
outbox.flush()
port.close()
