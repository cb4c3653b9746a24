import type {
  DhcpClientSpec,
  DhcpServerSpec,
  Element,
  ElementOf,
  IpfixSpec,
  OpenflowSpec,
} from '../reconcile/element.ts'
import type { Change } from '../reconcile/plan.ts'
import { putAddress, putRoute, removeAddress, removeRoute } from './address.ts'
import { DeviceClaims } from './claim.ts'
import type { LabContext } from './context.ts'
import { putInterface, removeInterface } from './interface.ts'
import { makeNamespace, removeNamespace } from './namespace.ts'
import { putResolver, removeResolver } from './resolver.ts'
import { checkSystemDevice, lowerDevice, raiseDevice, resizeDevice } from './system-port.ts'
import { giveBackUplink, takeUplink } from './uplink.ts'

/** Who runs DHCP, speaks OpenFlow and exports flow records; the lab only says where. Both calls of a pair are idempotent. */
export interface Services {
  putOpenflow(spec: OpenflowSpec): Promise<void>
  removeOpenflow(bridge: string): Promise<void>
  putDhcpServer(spec: DhcpServerSpec): Promise<void>
  removeDhcpServer(spec: DhcpServerSpec): Promise<void>
  putDhcpClient(spec: DhcpClientSpec): Promise<void>
  removeDhcpClient(spec: DhcpClientSpec): Promise<void>
  putIpfix(spec: IpfixSpec): Promise<void>
  removeIpfix(bridge: string): Promise<void>
}

/** Does the changes of a plan on this machine, in the dataplane and in the services. */
export class Lab {
  readonly #context: LabContext
  readonly #services: Services
  readonly #claims = new DeviceClaims()

  constructor(context: LabContext, services: Services) {
    this.#context = context
    this.#services = services
  }

  perform = async (change: Change): Promise<void> => {
    if (change.op === 'delete') await this.#remove(change.element)
    else await this.#put(change.element, change.op === 'change' ? change.from : undefined)
  }

  /** Opens a system port anew after its device has gone and come back. */
  async reopen(element: ElementOf<'port'>): Promise<void> {
    await this.#put(element, undefined)
  }

  /** Marks what is to be made as ours before anything is. @throws CliError when another switch has it */
  async claim(element: Element): Promise<void> {
    const device = systemDevice(element)
    if (device !== undefined) await this.#claims.claim(device)
  }

  unclaim(element: Element): void {
    const device = systemDevice(element)
    if (device !== undefined) this.#claims.release(device)
  }

  close(): void {
    this.#claims.releaseAll()
  }

  async #put(element: Element, from: Element | undefined): Promise<void> {
    const { dpif } = this.#context
    switch (element.kind) {
      case 'bridge':
        await dpif.bridgePut(element.spec)
        return this.#services.putOpenflow(element.openflow)
      case 'router':
        return dpif.routerPut(element.spec)
      case 'namespace':
        return makeNamespace(this.#context, element.name, element.loopback)
      case 'port':
        return this.#putPort(element)
      case 'interface':
        return putInterface(this.#context, element, from as ElementOf<'interface'> | undefined)
      case 'uplink':
        if (from !== undefined) await giveBackUplink(this.#context, element.device)
        return takeUplink(this.#context, element)
      case 'address':
        return putAddress(this.#context, element)
      case 'route':
        return putRoute(this.#context, element)
      case 'resolver':
        return putResolver(this.#context, element.namespace, element.servers)
      case 'dhcp-server':
        return this.#services.putDhcpServer(element.server)
      case 'dhcp-client':
        return this.#services.putDhcpClient(element.client)
      case 'ipfix':
        return this.#services.putIpfix(element.spec)
    }
  }

  async #remove(element: Element): Promise<void> {
    const { dpif } = this.#context
    switch (element.kind) {
      case 'bridge':
        await this.#services.removeOpenflow(element.spec.name)
        return dpif.bridgeDelete(element.spec.name)
      case 'router':
        return dpif.routerDelete(element.spec.name)
      case 'namespace':
        await removeNamespace(this.#context, element.name)
        return
      case 'port':
        return this.#removePort(element)
      case 'interface':
        return removeInterface(this.#context, element)
      case 'uplink':
        await giveBackUplink(this.#context, element.device)
        return
      case 'address':
        return removeAddress(this.#context, element)
      case 'route':
        return removeRoute(this.#context, element)
      case 'resolver':
        return removeResolver(this.#context, element.namespace)
      case 'dhcp-server':
        return this.#services.removeDhcpServer(element.server)
      case 'dhcp-client':
        return this.#services.removeDhcpClient(element.client)
      case 'ipfix':
        return this.#services.removeIpfix(element.spec.bridge)
    }
  }

  async #putPort({ spec, mtu }: ElementOf<'port'>): Promise<void> {
    if (spec.kind.type === 'system') {
      checkSystemDevice(spec.kind.device)
      await this.#claims.claim(spec.kind.device)
      raiseDevice(this.#context, spec.kind.device)
      if (mtu !== undefined) await resizeDevice(this.#context, spec.kind.device, mtu)
    }
    await this.#context.dpif.portPut(spec)
  }

  async #removePort({ spec }: ElementOf<'port'>): Promise<void> {
    await this.#context.dpif.portDelete(spec.name)
    if (spec.kind.type !== 'system') return
    lowerDevice(this.#context, spec.kind.device)
    this.#claims.release(spec.kind.device)
  }
}

function systemDevice(element: Element): string | undefined {
  return element.kind === 'port' && element.spec.kind.type === 'system' ? element.spec.kind.device : undefined
}
