/**
 * Sends flow-mods, group-mods and packet-outs: one after the other with a barrier at the end, or as a bundle. For
 * OpenFlow 1.0 it chooses between the standard's flow-mod and Nicira's, and switches its extensions on.
 */

import type { OfAction } from '../../protocols/openflow/action.ts'
import { BUNDLE_ATOMIC, BUNDLE_ORDERED, type BundleControlType } from '../../protocols/openflow/bundle.ts'
import { isFault } from '../../protocols/openflow/error.ts'
import { type FlowMod, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import type { GroupMod } from '../../protocols/openflow/group.ts'
import { equalMatch } from '../../protocols/openflow/match.ts'
import { decodeMessage, encodeMessage } from '../../protocols/openflow/message.ts'
import type { PacketOut } from '../../protocols/openflow/packet-out.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import { OF10, OF11, OF12, OF13, type OfVersion } from '../../protocols/openflow/version.ts'
import { EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { SwitchConnection } from './switch-connection.ts'
import { versionName } from './versions.ts'

export type Change =
  | { readonly type: 'FLOW_MOD'; readonly body: FlowMod }
  | { readonly type: 'GROUP_MOD'; readonly body: GroupMod }
  | { readonly type: 'PACKET_OUT'; readonly body: PacketOut }

const NEEDS: Readonly<Partial<Record<OfAction['type'], OfVersion>>> = {
  write_actions: OF11,
  clear_actions: OF11,
  meter: OF13,
}

function tooNew(what: string, needed: OfVersion, version: OfVersion): CliError {
  return new CliError(
    `${what} needs ${versionName(needed)}, and the connection has ${versionName(version)}.`,
    {
      code: EXIT_USAGE,
      hint: `Allow it with -O ${versionName(needed)}; the bridge must allow it too.`,
    },
  )
}

/** Whether the match comes through the standard's flow-mod unharmed. */
function survives(mod: FlowMod, version: OfVersion): boolean {
  const bytes = encodeMessage(
    'FLOW_MOD',
    { ...mod, actions: [], table: OFPTT_ALL, command: 'delete' },
    { version },
  )
  const back = bytes === undefined ? undefined : decodeMessage(bytes)
  if (back === undefined || isFault(back) || back.type !== 'FLOW_MOD') return false
  return equalMatch(back.body.match, mod.match)
}

function check(change: Change, version: OfVersion): void {
  const lists =
    change.type === 'GROUP_MOD' ? change.body.buckets.map((b) => b.actions) : [change.body.actions]
  for (const action of lists.flat()) {
    const needed = NEEDS[action.type]
    if (needed !== undefined && needed > version) throw tooNew(`The action ${action.type}`, needed, version)
  }
  if (change.type === 'FLOW_MOD' && version === OF11 && !survives({ ...change.body, table: 0 }, version)) {
    throw tooNew(`The match ${formatMatch(change.body.match)}`, OF12, version)
  }
}

function needsNicira(change: Change): boolean {
  if (change.type !== 'FLOW_MOD') return false
  return change.body.cookieMask !== 0n || !survives(change.body, OF10)
}

/** Which form OpenFlow 1.0's flow-mods have; asks the switch for what that needs. */
async function prepare(
  connection: SwitchConnection,
  changes: readonly Change[],
): Promise<string | undefined> {
  for (const change of changes) check(change, connection.version)
  if (connection.version !== OF10) return undefined
  const nicira = changes.some(needsNicira)
  if (nicira) await connection.change('SET_FLOW_FORMAT', 'nxm')
  if (changes.some((c) => c.type === 'FLOW_MOD' && c.body.table !== OFPTT_ALL)) {
    await connection.change('FLOW_MOD_TABLE_ID', true)
  }
  return nicira ? 'NXT_FLOW_MOD' : undefined
}

/** All of them in order; the promise is kept when the switch has done them. Rejects with the first refusal. */
export async function applyChanges(connection: SwitchConnection, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return
  const flowForm = await prepare(connection, changes)
  for (const change of changes) {
    if (change.type === 'FLOW_MOD') connection.send('FLOW_MOD', change.body, flowForm)
    else if (change.type === 'GROUP_MOD') connection.send('GROUP_MOD', change.body)
    else connection.send('PACKET_OUT', change.body)
  }
  await connection.barrier()
}

const BUNDLE_ID = 0

/** The same, all or nothing. */
export async function applyBundle(connection: SwitchConnection, changes: readonly Change[]): Promise<void> {
  for (const change of changes) check(change, connection.version)
  const { version } = connection
  const flags = BUNDLE_ATOMIC | BUNDLE_ORDERED
  const control = (kind: BundleControlType) =>
    connection.request('BUNDLE_CONTROL', { bundle: BUNDLE_ID, control: kind, flags }, 'BUNDLE_CONTROL')
  await control('open_request')
  for (const change of changes) {
    const xid = connection.nextXid()
    const message = encodeMessage(change.type, change.body as never, { version, xid })!
    connection.write(
      encodeMessage('BUNDLE_ADD_MESSAGE', { bundle: BUNDLE_ID, flags, message }, { version, xid })!,
    )
  }
  try {
    await connection.barrier()
  } catch (error) {
    await control('discard_request').catch(() => {})
    throw error
  }
  try {
    await control('commit_request')
  } catch (error) {
    // Which of the changes failed is told before that the bundle has.
    throw connection.takeRefusal() ?? error
  }
}
