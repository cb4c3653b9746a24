import { setLinkUp } from '../../engine/sys/link.ts'
import { inNamespace } from '../../engine/sys/netns.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import type { ElementOf } from '../reconcile/element.ts'
import type { LabContext } from './context.ts'
import { namespacePath } from './namespace.ts'

type Interface = ElementOf<'interface'>

/**
 * Makes the TAP port and brings its interface to its place, named and up; or, for one that is there, changes
 * what differs while frames go on passing.
 */
export async function putInterface(
  lab: LabContext,
  element: Interface,
  from: Interface | undefined,
): Promise<void> {
  const { spec, namespace, device } = element
  if (from !== undefined) {
    // The dataplane keeps a device whose kind is the one it was made with; the rest is the kernel's business.
    await lab.dpif.portPut({ ...spec, kind: lab.kinds.get(spec.name) ?? spec.kind })
    const changed: string[] = []
    if (from.mac !== element.mac) changed.push('address', formatMac(element.mac))
    if (from.mtu !== element.mtu) changed.push('mtu', String(element.mtu))
    if (changed.length > 0) await lab.ip.batch(namespace, [['link', 'set', 'dev', device, ...changed]])
    return
  }
  await lab.dpif.portPut(spec)
  lab.kinds.set(spec.name, spec.kind)
  if (namespace === undefined || spec.kind.type !== 'tap') {
    setLinkUp(device, true)
    return
  }
  // Moved and named in one request: there is no moment at which it has the wrong name in there.
  await lab.ip.run('link', 'set', 'dev', spec.kind.device, 'netns', namespace, 'name', device)
  inNamespace(namespacePath(namespace), () => setLinkUp(device, true))
}

/** The interface goes with its port. */
export async function removeInterface(lab: LabContext, element: Interface): Promise<void> {
  await lab.dpif.portDelete(element.spec.name)
  lab.kinds.delete(element.spec.name)
}
