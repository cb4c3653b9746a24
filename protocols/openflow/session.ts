/**
 * One end of an OpenFlow connection over a byte stream, switch or controller alike: framing, HELLO and the choice
 * of a version (OpenFlow 1.3 §6.3.1), echo, inactivity probes, errors for what cannot be understood, multiparts put
 * together. It owns no socket and no clock: bytes and time come in, messages and bytes go to a sink.
 */

import { type Duration, type Instant, SECOND } from '../time.ts'
import { isFault, type OfErrorName, type OfFault } from './error.ts'
import { errorMessage } from './error-message.ts'
import { highestVersion } from './hello.ts'
import { decodeMessage, encodeErrorReply, encodeMessage } from './message.ts'
import { isFlowMod, messageType, messageVersion } from './message-header.ts'
import { MessageReader } from './message-reader.ts'
import type { Message, MessageType } from './message-types.ts'
import { MultipartAssembler } from './multipart.ts'
import { OF10, OF15, type OfVersion } from './version.ts'

export interface SessionSink {
  /** Bytes for the peer, one message. */
  send(bytes: Uint8Array): void
  /** The version is agreed upon; messages follow. */
  connected(version: OfVersion): void
  /**
   * A message other than HELLO and echo, of the agreed version. `bytes` are it as it came (of a multipart its last
   * piece), for error replies; they are the receiver's only until it returns.
   */
  message(message: Message, bytes: Uint8Array): void
  /** In place of `message`: flow-mods, for who reads them elsewhere. The bytes as above. */
  flowMod?(bytes: Uint8Array): void
  /** An echo has come, which the session sees to; `bytes` as above. */
  echo?(bytes: Uint8Array): void
  /** The connection has to be closed; nothing comes any more. */
  close(reason: string): void
}

export interface SessionOptions {
  /** 1 << version for each version offered; 1.0 to 1.5 unless given. */
  versions?: number
  /** Silence after which the peer is asked whether it lives, and as much again after which it is given up; 0: never. */
  inactivityProbe?: Duration
  /** How long the peer's HELLO may take. */
  helloTimeout?: Duration
  /** Entries of multiparts that may wait for their end. */
  maxWaitingEntries?: number
}

export const ALL_VERSIONS = (1 << (OF15 + 1)) - 2
export const DEFAULT_INACTIVITY_PROBE: Duration = 5 * SECOND
const DEFAULT_HELLO_TIMEOUT: Duration = 10 * SECOND
/** Messages that may come in any version (as Open vSwitch takes them): HELLO, ERROR, echo. */
const LAST_FREE_TYPE = 3
const ERROR_TYPE = 1

/** 0x01, 0x04 … as Open vSwitch lists versions. */
function versionList(versions: number): string {
  const list: string[] = []
  for (let v = 1; v < 31; v++) {
    if ((versions & (1 << v)) !== 0) list.push(`0x${v.toString(16).padStart(2, '0')}`)
  }
  if (list.length === 1) return `version ${list[0]}`
  return list.length === 0 ? 'no versions' : `versions ${list.slice(0, -1).join(', ')} and ${list.at(-1)}`
}

export class Session {
  private readonly sink: SessionSink
  private readonly versions: number
  private readonly probe: Duration
  private readonly reader = new MessageReader()
  private readonly multiparts: MultipartAssembler
  private agreed: OfVersion | undefined
  private closed = false
  private helloDeadline: Instant
  private lastActivity: Instant
  private probedAt: Instant | undefined
  /** The flow_mod_table_id extension: whoever handles NXT_FLOW_MOD_TABLE_ID sets it. */
  tableIdExtension = false

  /** Sends its HELLO. */
  constructor(now: Instant, sink: SessionSink, options: SessionOptions = {}) {
    this.sink = sink
    this.versions = options.versions ?? ALL_VERSIONS
    this.probe = options.inactivityProbe ?? DEFAULT_INACTIVITY_PROBE
    this.multiparts = new MultipartAssembler(options.maxWaitingEntries)
    this.helloDeadline = now + (options.helloTimeout ?? DEFAULT_HELLO_TIMEOUT)
    this.lastActivity = now
    const version = highestVersion(this.versions) as OfVersion
    this.sink.send(encodeMessage('HELLO', { versions: this.versions }, { version, xid: 1 })!)
  }

  /** Undefined until HELLOs were exchanged. */
  get version(): OfVersion | undefined {
    return this.agreed
  }

  get isClosed(): boolean {
    return this.closed
  }

  /** Bytes from the peer. */
  receive(now: Instant, chunk: Uint8Array): void {
    if (this.closed) return
    this.lastActivity = now
    this.probedAt = undefined
    this.reader.push(chunk, (bytes) => {
      this.take(bytes)
      return !this.closed
    })
    if (this.reader.failure !== undefined && !this.closed) {
      this.end('received a message shorter than its header')
    }
  }

  private end(reason: string): void {
    this.closed = true
    this.multiparts.clear()
    this.sink.close(reason)
  }

  /** Without a common version the connection ends (OpenFlow 1.3 §7.5.4.1: HELLO_FAILED with a text). */
  private negotiate(peer: number): void {
    const common = peer & this.versions
    if (common !== 0) {
      this.agreed = highestVersion(common) as OfVersion
      this.sink.connected(this.agreed)
      return
    }
    const text = `We support ${versionList(this.versions)}, you support ${versionList(peer)}, no common versions.`
    const data = Uint8Array.from(text, (c) => c.charCodeAt(0))
    const highest = Math.min(highestVersion(peer), OF15)
    const version = Math.max(highest, OF10) as OfVersion
    this.sink.send(encodeMessage('ERROR', errorMessage('OFPHFC_INCOMPATIBLE', version, data), { version })!)
    this.end('version negotiation failed')
  }

  private take(bytes: Uint8Array): void {
    const version = this.agreed
    if (version === undefined) {
      const hello = decodeMessage(bytes)
      if (isFault(hello) || hello.type !== 'HELLO') this.end('received a message while expecting HELLO')
      else this.negotiate(hello.body.versions)
      return
    }
    if (messageVersion(bytes) !== version && messageType(bytes) > LAST_FREE_TYPE) {
      this.sink.send(encodeErrorReply('OFPBRC_BAD_VERSION', bytes, version))
      this.end(`received OpenFlow version ${messageVersion(bytes)} in a connection of version ${version}`)
      return
    }
    if (this.sink.flowMod !== undefined && isFlowMod(bytes)) {
      this.sink.flowMod(bytes)
      return
    }
    const message = decodeMessage(bytes, { tableIdExtension: this.tableIdExtension })
    if (isFault(message)) {
      // An error is never the answer to an error.
      if (messageType(bytes) !== ERROR_TYPE) this.refuse(message, bytes)
      return
    }
    this.dispatch(message, bytes, version)
  }

  private refuse({ error }: OfFault, bytes: Uint8Array): void {
    this.replyError(error, bytes)
  }

  /** Answers the message `bytes` with an error. */
  replyError(error: OfErrorName, bytes: Uint8Array): void {
    this.sink.send(encodeErrorReply(error, bytes, this.agreed))
  }

  private dispatch(message: Message, bytes: Uint8Array, version: OfVersion): void {
    const type: MessageType = message.type
    if (type === 'HELLO') return
    if (type === 'ECHO_REQUEST' || type === 'ECHO_REPLY') this.sink.echo?.(bytes)
    if (type === 'ECHO_REPLY') return
    if (message.type === 'ECHO_REQUEST') {
      this.sink.send(encodeMessage('ECHO_REPLY', message.body, { version, xid: message.xid })!)
      return
    }
    const whole = this.multiparts.add(message)
    if (whole === 'overflow') this.replyError('OFPBRC_MULTIPART_BUFFER_OVERFLOW', bytes)
    else if (whole !== undefined) this.sink.message(whole, bytes)
  }

  /** Asks or gives up a silent peer. */
  poll(now: Instant): void {
    const at = this.pollAt()
    if (at === undefined || now < at) return
    if (this.agreed === undefined) {
      this.end('no HELLO came')
      return
    }
    if (this.probedAt !== undefined) {
      this.end('no response to inactivity probe')
      return
    }
    this.probedAt = now
    this.sink.send(encodeMessage('ECHO_REQUEST', new Uint8Array(0), { version: this.agreed })!)
  }

  pollAt(): Instant | undefined {
    if (this.closed) return undefined
    if (this.agreed === undefined) return this.helloDeadline
    return this.probe === 0 ? undefined : (this.probedAt ?? this.lastActivity) + this.probe
  }
}
