/** Bundles: kept per connection, carried out all or nothing. */
import type { BundleControl, BundleControlType } from '../../../protocols/openflow/bundle.ts'
import type { OfErrorName } from '../../../protocols/openflow/error.ts'
import { encodeMessage } from '../../../protocols/openflow/message.ts'
import { messageXid } from '../../../protocols/openflow/message-header.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { commitBundle } from '../bundle-commit.ts'
import type { BundledMessages } from '../bundled-messages.ts'
import type { Connection } from '../connection.ts'
import type { OpenflowSwitch } from '../openflow-switch.ts'
import type { Handlers } from './handler.ts'

const REPLIES: Partial<Record<BundleControlType, BundleControlType>> = {
  open_request: 'open_reply',
  close_request: 'close_reply',
  commit_request: 'commit_reply',
  discard_request: 'discard_reply',
}

async function commit(
  sw: OpenflowSwitch,
  c: Connection,
  messages: BundledMessages,
  { bundle, flags }: BundleControl,
  version: OfVersion,
): Promise<OfErrorName | undefined> {
  const failure = await commitBundle(sw, c, messages, flags)
  if (failure === undefined) return undefined
  // Which message failed is told by an error that brings it back as it was added; that all failed, by one about the commit.
  const inner = messages.at(failure.index)
  const added = { version, xid: messageXid(inner) }
  c.error(encodeMessage('BUNDLE_ADD_MESSAGE', { bundle, flags, message: inner }, added)!, failure.error)
  return 'OFPBFC_MSG_FAILED'
}

export const BUNDLES: Handlers = {
  async BUNDLE_CONTROL(sw, c, body, message) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    const { bundles } = c
    let error: OfErrorName | undefined
    switch (body.control) {
      case 'open_request':
        error = bundles.open(body)
        break
      case 'close_request':
        error = bundles.close(body)
        break
      case 'discard_request':
        error = bundles.discard(body.bundle)
        break
      case 'commit_request': {
        const taken = bundles.take(body)
        error = typeof taken === 'string' ? taken : await commit(sw, c, taken, body, message.version)
        break
      }
      default:
        return 'OFPBFC_BAD_TYPE'
    }
    if (error === undefined) {
      const { bundle, control } = body
      c.reply(message, 'BUNDLE_CONTROL', { bundle, control: REPLIES[control]!, flags: 0 })
    }
    return error
  },

  BUNDLE_ADD_MESSAGE(_sw, c, body) {
    return c.state.role === 'secondary' ? 'OFPBRC_IS_SECONDARY' : c.bundles.add(body)
  },
}
