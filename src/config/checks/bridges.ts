import type { BridgeInput, PortInput } from '../bridges.ts'
import { formatPath, type Path } from '../config-error.ts'
import { IFNAME_EXPECTED, IFNAME_PATTERN, PORT_NAME_EXPECTED, PORT_NAME_PATTERN } from '../fields.ts'
import { checkMac, interfaceAddress } from './addresses.ts'
import { checkIpfix } from './ipfix.ts'
import { checkControllers, checkFlowTables } from './openflow.ts'
import { checkQos } from './qos.ts'
import { entries, type Loose, type LooseConfig, type Reporter, Unique } from './reporter.ts'
import { checkVlan } from './vlans.ts'

const IFNAME = new RegExp(`^${IFNAME_PATTERN}$`)
const PORT_NAME = new RegExp(`^${PORT_NAME_PATTERN}$`)

/** Which keys make sense on which types of ports, besides VLANs and ofport. */
const KEYS_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  device: ['tap', 'system', 'internal'],
  peer: ['patch'],
  address: ['internal'],
  moveAddress: ['system'],
  mac: ['tap', 'internal', 'dummy'],
  mtu: ['tap', 'system', 'internal'],
  qos: ['tap', 'system', 'internal', 'dummy'],
  ingressPolicing: ['tap', 'system', 'internal', 'dummy'],
}

function checkPort(name: string, port: Loose<PortInput>, path: Path, report: Reporter): void {
  const type = port.type ?? 'tap'
  // A port in memory has no device, and one that has may be called otherwise.
  const device = type !== 'patch' && type !== 'dummy' && port.device === undefined
  if (device && !IFNAME.test(name)) report.key(path, IFNAME_EXPECTED)
  else if (!PORT_NAME.test(name)) report.key(path, PORT_NAME_EXPECTED)
  for (const [key, types] of Object.entries(KEYS_OF_TYPE)) {
    if (port[key as keyof PortInput] === undefined || types.includes(type)) continue
    const where = types.map((t) => `"${t}"`).join(', ')
    report.value([...path, key], `no ${key} on a port of type "${type}" (only on type ${where})`)
  }
  if (type === 'internal') interfaceAddress(port.address, [...path, 'address'], report)
  checkMac(port.mac, [...path, 'mac'], report)
  checkVlan(port, path, report)
  checkQos(port, path, report)
}

/** The two ends of a patch must name each other. */
function checkPatches(config: LooseConfig, report: Reporter): void {
  const patches = new Map<string, { port: Loose<PortInput>; path: Path }>()
  for (const [bridge, b] of entries(config.bridges)) {
    for (const [name, port] of entries(b.ports)) {
      if (port.type === 'patch') patches.set(name, { port, path: ['bridges', bridge, 'ports', name] })
    }
  }
  for (const [name, { port, path }] of patches) {
    const at = [...path, 'peer']
    const other = port.peer === undefined ? undefined : patches.get(port.peer)
    if (port.peer === undefined) report.value(at, 'the name of the patch port at the other end')
    else if (port.peer === name) report.value(at, 'the name of another patch port, not its own')
    else if (other === undefined) report.value(at, 'the name of a patch port', patches.keys())
    else if (other.port.peer !== undefined && other.port.peer !== name) {
      const back = `${formatPath(other.path)}.peer is "${other.port.peer}"`
      report.value(at, `a patch port whose peer is "${name}" (${back})`)
    }
  }
}

/** Names of devices in the machine's own namespace: made by us, or taken as they are. */
function checkDevices(config: LooseConfig, report: Reporter): void {
  const devices = new Unique<string>()
  const claim = (device: string, path: Path) => {
    const earlier = devices.claim(device, path)
    if (earlier !== undefined) report.value(path, `a device that is not used yet (it is by ${earlier})`)
    if (device === 'lo') report.value(path, 'a device other than the loopback interface')
  }
  for (const bridge of Object.keys(config.bridges ?? {})) devices.claim(bridge, ['bridges', bridge])
  // Two ports of one name are told as such elsewhere.
  const names = new Set(Object.keys(config.bridges ?? {}))
  for (const [bridge, b] of entries(config.bridges)) {
    for (const [name, port] of entries(b.ports)) {
      if (port.type === 'patch') continue
      const path = ['bridges', bridge, 'ports', name]
      if (port.device !== undefined) claim(port.device, [...path, 'device'])
      else if (!names.has(name)) claim(name, path)
      names.add(name)
    }
  }
}

function checkBridge(config: LooseConfig, name: string, bridge: Loose<BridgeInput>, report: Reporter): void {
  const path = ['bridges', name]
  if (!IFNAME.test(name)) report.key(path, IFNAME_EXPECTED)
  interfaceAddress(bridge.address, [...path, 'address'], report)
  checkMac(bridge.mac, [...path, 'mac'], report)
  checkVlan(bridge, path, report)
  checkQos(bridge, path, report)
  checkControllers(config, bridge, path, report)
  checkFlowTables(bridge, path, report)
  checkIpfix(bridge, path, report)
  const ofports = new Unique<number>()
  let moved: string | undefined
  for (const [portName, port] of entries(bridge.ports)) {
    const at = [...path, 'ports', portName]
    checkPort(portName, port, at, report)
    if (port.ofport !== undefined) {
      const earlier = ofports.claim(port.ofport, [...at, 'ofport'])
      if (earlier !== undefined) {
        report.value([...at, 'ofport'], `a number that no other port of the bridge has (${earlier} does)`)
      }
    }
    if (port.type !== 'system' || port.moveAddress !== true) continue
    if (moved !== undefined) {
      report.value([...at, 'moveAddress'], `one such port on a bridge (${moved} is one already)`)
    }
    moved = formatPath(at)
  }
}

export function checkBridges(config: LooseConfig, report: Reporter): void {
  for (const [name, bridge] of entries(config.bridges)) checkBridge(config, name, bridge, report)
  checkPatches(config, report)
  checkDevices(config, report)
}
