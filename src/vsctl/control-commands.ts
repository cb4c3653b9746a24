/** Who controls the switch: controllers and fail modes of bridges, managers, keys for TLS. */

import { type Datum, EMPTY_SET, scalar } from '../../protocols/ovsdb/datum.ts'
import { parseAddress } from '../net/address.ts'
import { OPENFLOW_PORT } from '../openflow/address.ts'
import { OVSDB_PORT } from '../ovsdb/remote.ts'
import { references, setOf, TOPOLOGY, Topology, text } from './bridges.ts'
import { type Call, command, type Needs, type VsctlCommand, VsctlError } from './command.ts'
import type { DraftRow } from './draft.ts'

const MANY = Number.POSITIVE_INFINITY

/** The rows of `table` that a column refers to. */
function referred(call: Call, row: DraftRow, column: string, table: string): DraftRow[] {
  row.verify(column)
  return references(row, column).flatMap((uuid) => call.draft.row(table, uuid) ?? [])
}

/** Rows with these targets, in place of those that a column refers to. */
function replaceTargets(
  call: Call,
  row: DraftRow,
  column: string,
  table: string,
  targets: readonly string[],
): void {
  for (const old of withTargets(call, row, column, table)) call.draft.delete(old)
  const probe = call.options.get('--inactivity-probe')
  const rows = targets.map((target) => {
    const port = table === 'Controller' ? OPENFLOW_PORT : OVSDB_PORT
    if (parseAddress(target, port) === undefined) {
      call.session.warn(`target type "${target}" is possibly erroneous`)
    }
    const added = call.draft.insert(table)
    added.set('target', scalar(target))
    if (probe !== undefined) added.set('inactivity_probe', scalar(Number.parseInt(probe, 10) || 0))
    return added
  })
  row.set(column, setOf(rows))
}

function withTargets(call: Call, row: DraftRow, column: string, table: string): DraftRow[] {
  const rows = referred(call, row, column, table)
  for (const each of rows) each.verify('target')
  return rows
}

function getController(call: Call): void {
  const { row } = new Topology(call.session).bridge(call.args[0])
  call.printSorted(withTargets(call, row, 'controller', 'Controller').map((each) => text(each, 'target')))
}

/** Also without any: `del-controller`. */
function setController(call: Call): void {
  const [bridge, ...targets] = call.args
  const { row } = new Topology(call.session).realBridge(bridge)
  replaceTargets(call, row, 'controller', 'Controller', targets)
}

function getFailMode(call: Call): void {
  const { row } = new Topology(call.session).bridge(call.args[0])
  row.verify('fail_mode')
  const mode = text(row, 'fail_mode')
  if (mode !== '') call.print(mode)
}

function setFailMode(call: Call): void {
  const [bridge, mode] = call.args
  const { row } = new Topology(call.session).realBridge(bridge)
  if (mode !== undefined && mode !== 'standalone' && mode !== 'secure') {
    throw new VsctlError('fail-mode must be "standalone" or "secure"')
  }
  row.set('fail_mode', mode === undefined ? EMPTY_SET : scalar(mode))
}

function getManager(call: Call): void {
  const rows = withTargets(call, call.session.root, 'manager_options', 'Manager')
  call.printSorted([...new Set(rows.map((row) => text(row, 'target')))])
}

/** Also without any: `del-manager`. */
function setManager(call: Call): void {
  replaceTargets(call, call.session.root, 'manager_options', 'Manager', call.args)
}

function getSsl(call: Call): void {
  const [ssl] = referred(call, call.session.root, 'ssl', 'SSL')
  if (ssl === undefined) return
  for (const column of SSL_COLUMNS) ssl.verify(column)
  call.print(`Private key: ${text(ssl, 'private_key')}`)
  call.print(`Certificate: ${text(ssl, 'certificate')}`)
  call.print(`CA Certificate: ${text(ssl, 'ca_cert')}`)
  call.print(`Bootstrap: ${text(ssl, 'bootstrap_ca_cert')}`)
}

function replaceSsl(call: Call, columns: Readonly<Record<string, Datum>> | undefined): void {
  const { root } = call.session
  const old = referred(call, root, 'ssl', 'SSL')
  for (const each of old) call.draft.delete(each)
  if (columns === undefined) {
    root.set('ssl', EMPTY_SET)
    return
  }
  const row = call.draft.insert('SSL')
  for (const [column, datum] of Object.entries(columns)) row.set(column, datum)
  root.set('ssl', setOf([row]))
}

function setSsl(call: Call): void {
  const [privateKey, certificate, caCert] = call.args.map((file) => scalar(file))
  replaceSsl(call, {
    private_key: privateKey,
    certificate,
    ca_cert: caCert,
    bootstrap_ca_cert: scalar(call.has('--bootstrap')),
  })
}

const SSL_COLUMNS = ['private_key', 'certificate', 'ca_cert', 'bootstrap_ca_cert']
const CONTROLLER: Needs = { ...TOPOLOGY, Controller: ['target', 'inactivity_probe'] }
const MANAGER: Needs = { Open_vSwitch: ['manager_options'], Manager: ['target', 'inactivity_probe'] }
const SSL: Needs = { Open_vSwitch: ['ssl'], SSL: SSL_COLUMNS }

export const CONTROL_COMMANDS: readonly VsctlCommand[] = [
  command('get-controller', 'BRIDGE', [1, 1], CONTROLLER, getController),
  command('del-controller', 'BRIDGE', [1, 1], CONTROLLER, setController),
  command('set-controller', 'BRIDGE TARGET...', [1, MANY], CONTROLLER, setController, [
    '--inactivity-probe=',
  ]),
  command('get-fail-mode', 'BRIDGE', [1, 1], TOPOLOGY, getFailMode),
  command('del-fail-mode', 'BRIDGE', [1, 1], TOPOLOGY, setFailMode),
  command('set-fail-mode', 'BRIDGE MODE', [2, 2], TOPOLOGY, setFailMode),
  command('get-manager', '', [0, 0], MANAGER, getManager),
  command('del-manager', '', [0, 0], MANAGER, setManager),
  command('set-manager', 'TARGET...', [1, MANY], MANAGER, setManager, ['--inactivity-probe=']),
  command('get-ssl', '', [0, 0], SSL, getSsl),
  command('del-ssl', '', [0, 0], SSL, (call) => replaceSsl(call, undefined)),
  command('set-ssl', 'PRIVATE-KEY CERTIFICATE CA-CERT', [3, 3], SSL, setSsl, ['--bootstrap']),
]
