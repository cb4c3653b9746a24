/**
 * Flow-mods as they came from the wire, carried out without making anything of them that outlives them but rules:
 * all are read into the same match, and lists of actions are shared.
 */
import { ActionListCache } from '../../protocols/openflow/action-list-cache.ts'
import { isFault, type OfErrorName } from '../../protocols/openflow/error.ts'
import { NO_BUFFER } from '../../protocols/openflow/flow-mod.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'
import { decodeMessage } from '../../protocols/openflow/message.ts'
import { messageLength } from '../../protocols/openflow/message-header.ts'
import type { Instant } from '../../protocols/time.ts'
import { type FlowModFailure, FlowModRun } from './flow-mod.ts'
import type { FlowTables } from './flow-tables.ts'

export class WireFlowMods {
  readonly #match = emptyMatch()
  readonly #actions = new ActionListCache()

  /**
   * Carries out the next of a run.
   * @returns the error that answers it. OFPBRC_BUFFER_UNKNOWN says that it was done, but that the packet it
   * names does not wait here: none ever does
   */
  next(run: FlowModRun, bytes: Uint8Array, tableIdExtension: boolean): OfErrorName | undefined {
    const match = this.#match
    match.value.fill(0)
    match.mask.fill(0)
    match.tunMetadata = undefined
    const message = decodeMessage(bytes, { tableIdExtension, match, actions: this.#actions })
    if (isFault(message) || message.type !== 'FLOW_MOD') {
      run.unreadable()
      return isFault(message) ? message.error : 'OFPBRC_BAD_TYPE'
    }
    const error = run.next(message.body)
    return error === undefined && message.body.bufferId !== NO_BUFFER ? 'OFPBRC_BUFFER_UNKNOWN' : error
  }

  /** Carries out a bundle's, whole messages one behind the other, all or none; the one for which it failed. */
  bundle(tables: FlowTables, messages: Uint8Array, now: Instant, origin: number): FlowModFailure | undefined {
    const run = new FlowModRun(tables, true, now, origin)
    let failure: FlowModFailure | undefined
    for (let at = 0, index = 0; at < messages.length && failure === undefined; index++) {
      const bytes = messages.subarray(at, at + messageLength(messages.subarray(at, at + 4)))
      const error = this.next(run, bytes, false)
      if (error !== undefined && error !== 'OFPBRC_BUFFER_UNKNOWN') failure = { index, error }
      at += bytes.length
    }
    run.end()
    return failure
  }
}
