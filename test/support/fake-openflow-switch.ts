/**
 * A switch that knows a few canned answers, behind a unix socket, so that unmodified OpenFlow clients can be asked
 * whether they are satisfied with what our codecs write, and what they themselves write is read by ours.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultAsyncConfig } from '../../protocols/openflow/async-config.ts'
import {
  encodeMessage,
  type Message,
  type MessageBodies,
  type MessageType,
} from '../../protocols/openflow/message.ts'
import { replyForm } from '../../protocols/openflow/message-forms.ts'
import { encodeList } from '../../protocols/openflow/multipart.ts'
import { Session } from '../../protocols/openflow/session.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { sampleBody } from './openflow-samples.ts'

/** Requests that are answered with the sample of a type. */
const REPLIES: Partial<Record<MessageType, MessageType>> = {
  FEATURES_REQUEST: 'FEATURES_REPLY',
  GET_CONFIG_REQUEST: 'GET_CONFIG_REPLY',
  BARRIER_REQUEST: 'BARRIER_REPLY',
  GET_ASYNC_REQUEST: 'GET_ASYNC_REPLY',
  DESC_STATS_REQUEST: 'DESC_STATS_REPLY',
  FLOW_STATS_REQUEST: 'FLOW_STATS_REPLY',
  AGGREGATE_STATS_REQUEST: 'AGGREGATE_STATS_REPLY',
  TABLE_STATS_REQUEST: 'TABLE_STATS_REPLY',
  PORT_STATS_REQUEST: 'PORT_STATS_REPLY',
  QUEUE_STATS_REQUEST: 'QUEUE_STATS_REPLY',
  QUEUE_GET_CONFIG_REQUEST: 'QUEUE_GET_CONFIG_REPLY',
  GROUP_STATS_REQUEST: 'GROUP_STATS_REPLY',
  GROUP_DESC_STATS_REQUEST: 'GROUP_DESC_STATS_REPLY',
  GROUP_FEATURES_STATS_REQUEST: 'GROUP_FEATURES_STATS_REPLY',
  METER_STATS_REQUEST: 'METER_STATS_REPLY',
  METER_CONFIG_STATS_REQUEST: 'METER_CONFIG_STATS_REPLY',
  METER_FEATURES_STATS_REQUEST: 'METER_FEATURES_STATS_REPLY',
  TABLE_FEATURES_STATS_REQUEST: 'TABLE_FEATURES_STATS_REPLY',
  TABLE_DESC_REQUEST: 'TABLE_DESC_REPLY',
  PORT_DESC_STATS_REQUEST: 'PORT_DESC_STATS_REPLY',
  FLOW_MONITOR_STATS_REQUEST: 'FLOW_MONITOR_STATS_REPLY',
  NXT_TLV_TABLE_REQUEST: 'NXT_TLV_TABLE_REPLY',
  IPFIX_BRIDGE_STATS_REQUEST: 'IPFIX_BRIDGE_STATS_REPLY',
  IPFIX_FLOW_STATS_REQUEST: 'IPFIX_FLOW_STATS_REPLY',
}

export class FakeOpenflowSwitch {
  /** Everything that clients said, in order. */
  readonly received: Message[] = []
  /** Why connections were closed from our side. */
  readonly closed: string[] = []
  readonly #server: Server
  readonly #directory: string
  readonly #sockets = new Set<Socket>()
  readonly #versions: number | undefined
  #missSendLen = 128

  private constructor(directory: string, versions: number | undefined) {
    this.#directory = directory
    this.#versions = versions
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async start(versions?: number): Promise<FakeOpenflowSwitch> {
    const fake = new FakeOpenflowSwitch(await mkdtemp(join(tmpdir(), 'fake-switch-')), versions)
    await new Promise<void>((resolve) => fake.#server.listen(fake.path, resolve))
    return fake
  }

  get path(): string {
    return join(this.#directory, 'br.mgmt')
  }

  get target(): string {
    return `unix:${this.path}`
  }

  receivedOf<T extends MessageType>(type: T): MessageBodies[T][] {
    return this.received.filter((m) => m.type === type).map((m) => m.body as MessageBodies[T])
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    let version: OfVersion = 1
    const session = new Session(
      0,
      {
        send: (bytes) => socket.write(bytes),
        connected: (v) => {
          version = v
        },
        message: (message) => {
          this.received.push(message)
          for (const bytes of this.#answer(message, version)) socket.write(bytes)
          if (message.type === 'FLOW_MOD_TABLE_ID') session.tableIdExtension = message.body
        },
        close: (reason) => {
          this.closed.push(reason)
          socket.end()
        },
      },
      this.#versions === undefined ? {} : { versions: this.#versions },
    )
    socket.on('data', (chunk: Buffer) => session.receive(0, chunk))
  }

  #answer(request: Message, version: OfVersion): Uint8Array[] {
    const { xid } = request
    const reply = <T extends MessageType>(type: T, body: MessageBodies[T]): Uint8Array[] => {
      const form = replyForm(request.form, type, version)
      const whole = form === undefined ? undefined : encodeMessage(type, body, { version, xid, form })
      return whole === undefined ? [] : [whole]
    }
    switch (request.type) {
      case 'SET_CONFIG':
        this.#missSendLen = request.body.missSendLen
        return []
      case 'GET_CONFIG_REQUEST':
        return reply('GET_CONFIG_REPLY', {
          frag: 'normal',
          invalidTtlToController: version < 4 ? false : undefined,
          missSendLen: this.#missSendLen,
        })
      case 'ROLE_REQUEST':
        return reply('ROLE_REPLY', { role: request.body.role, generationId: request.body.generationId })
      case 'BUNDLE_CONTROL':
        return reply('BUNDLE_CONTROL', {
          ...request.body,
          control: request.body.control.replace('request', 'reply') as 'open_reply',
        })
      case 'GET_ASYNC_REQUEST':
        return reply('GET_ASYNC_REPLY', defaultAsyncConfig(version))
      case 'FLOW_STATS_REQUEST': {
        // In several pieces, as a large table would be.
        const [stats] = sampleBody('FLOW_STATS_REPLY', version)
        const many = Array.from({ length: 1500 }, (_, i) => ({ ...stats, priority: i + 1 }))
        const form = replyForm(request.form, 'FLOW_STATS_REPLY', version)
        return encodeList('FLOW_STATS_REPLY', many, { version, xid, form })
      }
      default: {
        const type = REPLIES[request.type]
        return type === undefined ? [] : reply(type, sampleBody(type, version) as never)
      }
    }
  }

  async stop(): Promise<void> {
    for (const s of this.#sockets) s.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    await rm(this.#directory, { recursive: true, force: true })
  }
}
