import { join } from 'node:path'
import { ByInterface } from '../../engine/by-interface.ts'
import type { Dpif, DpifEvent } from '../../engine/dpif.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import type { LeaseEntry } from '../control/protocol.ts'
import { CliError } from '../errors.ts'
import type { DhcpServerSpec } from '../reconcile/element.ts'
import { DhcpRehearsal } from '../services/dhcp-rehearsal.ts'
import { DhcpService, type ServiceLog, type ServicePort } from '../services/dhcp-server.ts'
import { LeaseJournalError } from '../services/lease-journal.ts'
import type { Clock } from '../services/scheduler.ts'

/** Milliseconds from the first server to its rehearsal, that it be in no start's way, and between two steps of that. */
const REHEARSAL_AFTER = 200
const REHEARSAL_PAUSE = 5

/** The interface of a router as a service sees it, by way of the dataplane's door. */
class RouterPort implements ServicePort {
  readonly #dpif: Dpif
  readonly #onFailure: (error: Error) => void
  readonly #probes = new Map<number, ((inUse: boolean) => void)[]>()
  #listener: (frame: Uint8Array) => void = () => {}
  spec: DhcpServerSpec

  constructor(dpif: Dpif, spec: DhcpServerSpec, onFailure: (error: Error) => void) {
    this.#dpif = dpif
    this.spec = spec
    this.#onFailure = onFailure
  }

  get mac(): number {
    return this.spec.mac
  }

  get address(): number {
    return this.spec.config.serverId
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#listener = listener
  }

  send(frame: Uint8Array): void {
    this.#dpif.routerOutput(this.spec.router, this.spec.interface, frame).catch(this.#onFailure)
  }

  sendVia(datagram: Uint8Array): void {
    this.#dpif.routerSend(this.spec.router, datagram).catch(this.#onFailure)
  }

  probe(address: number, done: (inUse: boolean) => void): void {
    const waiting = this.#probes.get(address)
    if (waiting !== undefined) {
      waiting.push(done)
      return
    }
    this.#probes.set(address, [done])
    this.#dpif.routerProbe(this.spec.router, this.spec.interface, address).catch((error: Error) => {
      // Unanswered, it counts as free after its time.
      this.#probes.delete(address)
      this.#onFailure(error)
    })
  }

  deliver(event: Extract<DpifEvent, { type: 'service' | 'probe' }>): void {
    if (event.type === 'service') {
      this.#listener(event.frame)
      return
    }
    const waiting = this.#probes.get(event.address) ?? []
    this.#probes.delete(event.address)
    for (const done of waiting) done(event.inUse)
  }
}

/** The DHCP servers of all routers. */
export class DhcpServers {
  readonly #dpif: Dpif
  readonly #rundir: string
  readonly #clock: Clock
  readonly #log: ServiceLog
  readonly #servers = new ByInterface<{ readonly port: RouterPort; readonly service: DhcpService }>()
  #rehearsed = false

  constructor(options: { dpif: Dpif; rundir: string; clock: Clock; log: ServiceLog }) {
    this.#dpif = options.dpif
    this.#rundir = options.rundir
    this.#clock = options.clock
    this.#log = options.log
  }

  /**
   * Starts a server with the leases of its journal, or has one that runs work on by another configuration.
   * @throws CliError when leases cannot be kept
   */
  async put(spec: DhcpServerSpec): Promise<void> {
    const present = this.#servers.get(spec.router, spec.interface)
    if (present !== undefined) {
      present.service.reconfigure(spec.config)
      present.port.spec = spec
      return
    }
    const port = new RouterPort(this.#dpif, spec, (error) => this.#log('warn', error.message))
    // A router's name has no dot, so that no two interfaces share a file.
    const path = join(this.#rundir, `leases-${spec.router}.${spec.interface}.journal`)
    const options = { config: spec.config, port, clock: this.#clock, log: this.#log }
    try {
      const service = await DhcpService.open(options, path)
      this.#servers.set(spec.router, spec.interface, { port, service })
      this.#rehearse()
    } catch (error) {
      if (!(error instanceof LeaseJournalError)) throw error
      throw new CliError(`${error.message.replace(/^c/, 'C')}.`, {
        code: EXIT_ENVIRONMENT,
        hint: 'Without it leases would be forgotten. Make room there, or name another run directory with --rundir.',
        cause: error,
      })
    }
  }

  /** Once for all servers, a little at a time. */
  #rehearse(): void {
    if (this.#rehearsed) return
    this.#rehearsed = true
    let rehearsal: DhcpRehearsal | undefined
    const step = (): void => {
      rehearsal ??= new DhcpRehearsal(this.#clock)
      if (!this.#servers.isEmpty && rehearsal.step()) after(REHEARSAL_PAUSE)
    }
    const after = (pause: number) => this.#clock.schedule(this.#clock.now() + pause, step)
    after(REHEARSAL_AFTER)
  }

  async remove(spec: DhcpServerSpec): Promise<void> {
    const present = this.#servers.get(spec.router, spec.interface)
    this.#servers.delete(spec.router, spec.interface)
    await present?.service.close()
  }

  /** For the event listener of the door. */
  deliver(event: Extract<DpifEvent, { type: 'service' | 'probe' }>): void {
    this.#servers.get(event.router, event.interface)?.port.deliver(event)
  }

  leases(): LeaseEntry[] {
    return [...this.#servers.values()].flatMap(({ port, service }) =>
      service.leases().map((row) => ({
        router: port.spec.router,
        interface: port.spec.interface,
        address: formatIpv4(row.address),
        mac: row.mac === undefined ? null : formatMac(row.mac),
        clientId: row.clientId === undefined ? null : Buffer.from(row.clientId).toString('hex'),
        hostname: row.hostname === '' ? null : row.hostname,
        state: row.state,
        expires: Number.isFinite(row.expires) ? new Date(row.expires).toISOString() : null,
      })),
    )
  }
}
