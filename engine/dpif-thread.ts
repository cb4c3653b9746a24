/**
 * The door between two threads: commands travel as messages, a doorbell wakes the dataplane, answers and events come
 * back as messages; what is said in one turn of the event loop travels together. What comes by the thousand goes by
 * rings in shared memory: flow-mods (flow-mods/ring.ts), packets for controllers, datagrams of services (frame-ring.ts).
 */
import { receiveMessageOnPort } from 'node:worker_threads'
import type { Instant } from '../protocols/time.ts'
import { AnswerOutlet } from './answer-outlet.ts'
import { Doorbell } from './doorbell.ts'
import { DPIF_COMMANDS, type Dpif, DpifError, type DpifErrorCode, type DpifEvent } from './dpif.ts'
import type { PacketInTemplate } from './dpif-pipeline.ts'
import { takeWorker } from './dpif-worker.ts'
import { FlowModOutlet } from './flow-mods/outlet.ts'
import { FlowModRing } from './flow-mods/ring.ts'
import type { FlowModStream, OnRefused } from './flow-mods/stream.ts'
import { FrameReader, frameRing } from './frame-ring.ts'
import type { Gro } from './netdev/coalescer.ts'
import { Outbox } from './outbox.ts'
import type { ServiceAddress } from './service-frames.ts'
import type { Call, News } from './worker.ts'

export interface ThreadOptions {
  /** Never sleep: lower latency for a whole core. */
  readonly busyPoll?: boolean
  /** Which small frames of a flow are joined on their way to a TAP (netdev/tap.ts). */
  readonly gro?: Gro | undefined
}

export type ThreadDpif = Dpif & {
  /** Settles when the dataplane has ended: resolves after `close`, rejects when it failed by itself. */
  readonly ended: Promise<void>
  /** Sets the clock of the dataplane (sys/clock.ts) and has it do what is due by then. */
  clockSet(at: Instant, runs: boolean): Promise<void>
}

/** Bytes of a lane. Who asks a service waits for seconds before it asks again; a controller would rather have news. */
const PACKET_IN_LANE = 1 << 18
const SERVICE_LANE = 1 << 20

/** What has nothing more to say. */
const SENT: Promise<void> = Promise.resolve()

/** Starts a dataplane on a thread of its own. */
export function openDpifThread(options: ThreadOptions = {}): ThreadDpif {
  const worker = takeWorker()
  const bell = new Doorbell()
  const frames = {
    packetIns: frameRing(PACKET_IN_LANE),
    services: frameRing(SERVICE_LANE),
    answers: frameRing(SERVICE_LANE),
  }
  const ring = new FlowModRing()
  worker.begin({
    flowMods: ring.memory,
    bell: bell.plug,
    busyPoll: options.busyPoll ?? false,
    gro: options.gro,
    frames,
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const listeners: ((event: DpifEvent) => void)[] = []
  let nextId = 1
  let closed = false
  let failure: Error | undefined

  const tell = (event: DpifEvent): void => {
    for (const listener of listeners) listener(event)
  }
  const packetIns = new FrameReader<PacketInTemplate>(frames.packetIns)
  const services = new FrameReader<ServiceAddress>(frames.services)
  let draining: NodeJS.Immediate | undefined
  /** Some frames for controllers and services; between two times everything else has its turn. */
  const drain = (): void => {
    draining = undefined
    const morePackets = packetIns.drain((template, packet) => {
      tell({ type: 'packet-in', bridge: template.bridge, template, packet })
    })
    const moreDatagrams = services.drain(({ router, interface: name }, frame) => {
      tell({ type: 'service', router, interface: name, frame })
    })
    if ((morePackets || moreDatagrams) && !closed) draining ??= setImmediate(drain)
  }

  let received = 0
  const receive = (all: News[]): void => {
    received++
    for (const news of all) take(news)
  }
  const take = (message: News): void => {
    if ('event' in message) {
      tell(message.event)
      return
    }
    if ('frames' in message) {
      if (draining === undefined) drain()
      return
    }
    if ('refused' in message) {
      outlet.receive(message)
      return
    }
    const call = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) call?.resolve(message.value)
    else call?.reject(new DpifError(message.error.code as DpifErrorCode, message.error.message))
  }
  worker.port.on('message', receive)
  const outlet = new FlowModOutlet({
    ring,
    rouse: () => bell.rouse(),
    catchUp: (posted) => {
      while (((posted - received) | 0) > 0) {
        const next = receiveMessageOnPort(worker.port)
        if (next === undefined) return
        receive(next.message)
      }
    },
  })

  const ended = new Promise<void>((resolve, reject) => {
    worker.thread.once('error', (error) => {
      failure = error
    })
    worker.thread.once('exit', () => {
      bell.close()
      const reason = failure ?? new Error('the dataplane thread ended')
      for (const call of waiting.values()) call.reject(reason)
      waiting.clear()
      outlet.end(reason)
      const clean = closed && failure === undefined
      closed = true
      if (clean) resolve()
      else reject(reason)
    })
  })
  // Whoever wants to know awaits it; nobody has to.
  ended.catch(() => {})

  const calls = new Outbox<Call>((all) => {
    worker.port.postMessage(all)
    bell.ring()
  })
  const call = (name: string, args: unknown[]): Promise<unknown> => {
    if (closed) return Promise.reject(new DpifError('EIO', `${name}: the dataplane has ended`))
    return new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, { resolve, reject })
      if (calls.empty) setImmediate(() => calls.flush())
      calls.put({ id, name, args })
    })
  }

  /** A stream has room when the dataplane has been told whose it is. */
  const openFlowMods = (bridge: string, onRefused: OnRefused): FlowModStream => {
    const { id, stream } = outlet.open(
      onRefused,
      (gone) => void call('flowModsClose', [gone]).catch(() => {}),
    )
    let known = false
    const opened = call('flowModsOpen', [id, bridge]).then(() => {
      known = true
    })
    opened.catch(() => {})
    return {
      ...stream,
      push: (bytes, tableIdExtension) => known && stream.push(bytes, tableIdExtension),
      room: () => (known ? stream.room() : opened),
    }
  }

  const door: Record<string, unknown> = {
    ended,
    openFlowMods,
    clockSet: (...args: unknown[]) => call('clockSet', args),
    onEvent: (listener: (event: DpifEvent) => void) => listeners.push(listener),
    close: async () => {
      if (!closed) {
        const done = call('close', [])
        closed = true
        await done.catch(() => {})
      }
      await ended.catch(() => {})
      worker.port.close()
    },
  }
  for (const name of DPIF_COMMANDS) door[name] = (...args: unknown[]) => call(name, args)
  const answers = new AnswerOutlet(frames.answers, () => bell.rouse())
  door.routerOutput = (router: string, iface: string, frame: Uint8Array) =>
    answers.put(router, iface, frame) ? SENT : call('routerOutput', [router, iface, frame.slice()])
  door.routerSend = (router: string, datagram: Uint8Array) =>
    answers.put(router, undefined, datagram) ? SENT : call('routerSend', [router, datagram.slice()])
  return door as unknown as ThreadDpif
}
