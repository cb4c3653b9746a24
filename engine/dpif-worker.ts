/**
 * The dataplane's thread before it has anything to do. To load its modules takes longer than all else that a start
 * needs, so that whoever knows early that there will be a dataplane has it loaded ahead, and says later what it is.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { WorkerOptions } from './worker.ts'

/** What the thread is born with. */
export interface WorkerBirth {
  /** By which options come, once they are there, and then commands. */
  readonly port: MessagePort
  /** One number, not 0 any more once the options are there. */
  readonly told: SharedArrayBuffer
}

export class DpifWorker {
  readonly thread: Worker
  readonly port: MessagePort
  readonly #told = new Int32Array(new SharedArrayBuffer(4))

  constructor() {
    const { port1, port2 } = new MessageChannel()
    const workerData: WorkerBirth = { port: port2, told: this.#told.buffer as SharedArrayBuffer }
    // Built code lies beside its sources' names; the extension follows that of this module.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.port = port1
    this.thread = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData,
      transferList: [port2],
      name: 'pmd',
    })
    // Until it is used it keeps no process alive.
    this.thread.unref()
  }

  begin(options: WorkerOptions): void {
    this.thread.ref()
    this.port.postMessage(options)
    Atomics.store(this.#told, 0, 1)
    Atomics.notify(this.#told, 0)
  }
}

let ahead: DpifWorker | undefined

/** Has one loaded for the next who takes one. */
export function loadAhead(): void {
  ahead ??= new DpifWorker()
}

export function takeWorker(): DpifWorker {
  const worker = ahead ?? new DpifWorker()
  ahead = undefined
  return worker
}
