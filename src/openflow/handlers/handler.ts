/** What answers the messages of one type. */
import type { OfErrorName } from '../../../protocols/openflow/error.ts'
import type { Message, MessageBodies, MessageType } from '../../../protocols/openflow/message.ts'
import type { Connection } from '../connection.ts'
import type { OpenflowSwitch } from '../openflow-switch.ts'

/** The error to answer with, or nothing: it has been done, and replied to where there is a reply. */
export type Outcome = OfErrorName | undefined

export type Handler<T extends MessageType> = (
  sw: OpenflowSwitch,
  c: Connection,
  body: MessageBodies[T],
  message: Message,
  bytes: Uint8Array,
) => Outcome | Promise<Outcome>

export type Handlers = { readonly [T in MessageType]?: Handler<T> }
