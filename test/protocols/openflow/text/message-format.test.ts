import { describe, expect, test } from 'vitest'
import { isFault } from '../../../../protocols/openflow/error.ts'
import { errorMessage } from '../../../../protocols/openflow/error-message.ts'
import {
  decodeMessage,
  encodeMessage,
  type MessageBodies,
  type MessageType,
} from '../../../../protocols/openflow/message.ts'
import { formByName } from '../../../../protocols/openflow/message-forms.ts'
import { parseFlowMonitor } from '../../../../protocols/openflow/text/flow-monitor-parse.ts'
import { parseFlow } from '../../../../protocols/openflow/text/flow-parse.ts'
import { parseMatch } from '../../../../protocols/openflow/text/match-parse.ts'
import { formatMessage } from '../../../../protocols/openflow/text/message-format.ts'
import { parsePacketOut } from '../../../../protocols/openflow/text/packet-out-parse.ts'
import { OF10, OF13, OF14, type OfVersion } from '../../../../protocols/openflow/version.ts'

/** The text of a message after a journey over the wire. */
function printed<T extends MessageType>(
  type: T,
  body: MessageBodies[T],
  version: OfVersion,
  form?: string,
): string {
  const bytes = encodeMessage(type, body, {
    version,
    xid: 0x1f,
    ...(form !== undefined && { form: formByName(form) }),
  })!
  const message = decodeMessage(bytes)
  if (isFault(message)) throw new Error(message.error)
  return formatMessage(message)
}

describe('messages that Open vSwitch prints so', () => {
  test('titles', () => {
    expect(printed('BARRIER_REPLY', undefined, OF10)).toBe('OFPT_BARRIER_REPLY (xid=0x1f):')
    expect(printed('BARRIER_REPLY', undefined, OF13)).toBe('OFPT_BARRIER_REPLY (OF1.3) (xid=0x1f):')
    expect(printed('DESC_STATS_REQUEST', undefined, OF14)).toBe('OFPST_DESC request (OF1.4) (xid=0x1f):')
    expect(printed('ECHO_REQUEST', new Uint8Array(7), OF13)).toBe(
      'OFPT_ECHO_REQUEST (OF1.3) (xid=0x1f): 7 bytes of payload',
    )
  })

  test('errors with what they are about', () => {
    const mod = encodeMessage('FLOW_MOD', parseFlow('udp,actions=group:99'), { version: OF13, xid: 0x1f })!
    expect(printed('ERROR', errorMessage('OFPBAC_BAD_OUT_GROUP', OF13, mod), OF13)).toBe(
      'OFPT_ERROR (OF1.3) (xid=0x1f): OFPBAC_BAD_OUT_GROUP\n' +
        'OFPT_FLOW_MOD (OF1.3) (xid=0x1f): ADD udp actions=group:99',
    )
  })

  test('changes of flows', () => {
    const mod = parseFlow('table=3,priority=7,tcp,cookie=5,idle_timeout=60,send_flow_rem,actions=2')
    expect(printed('FLOW_MOD', mod, OF13)).toBe(
      'OFPT_FLOW_MOD (OF1.3) (xid=0x1f): ADD table:3 priority=7,tcp cookie:0x5 idle:60 send_flow_rem actions=output:2',
    )
    const removed = {
      match: parseMatch('tcp,nw_src=1.2.3.4'),
      cookie: 0n,
      priority: 6,
      reason: 'delete' as const,
      table: 5,
      durationSec: 0,
      durationNsec: 86_000_000,
      idleTimeout: 5,
      hardTimeout: 0,
      packetCount: 0,
      byteCount: 0,
    }
    const rest = 'duration0.086s idle5 pkts0 bytes0'
    expect(printed('FLOW_REMOVED', removed, OF10)).toBe(
      `OFPT_FLOW_REMOVED (xid=0x1f): priority=6,tcp,nw_src=1.2.3.4 reason=delete ${rest}`,
    )
    expect(printed('FLOW_REMOVED', removed, OF13)).toBe(
      `OFPT_FLOW_REMOVED (OF1.3) (xid=0x1f): priority=6,tcp,nw_src=1.2.3.4 reason=delete table_id=5 ${rest}`,
    )
  })

  test('what a flow monitor reports', () => {
    const update = {
      reason: undefined,
      idleTimeout: 5,
      hardTimeout: 0,
      table: 5,
      priority: 6,
      cookie: 0x44n,
      match: parseMatch('tcp'),
      actions: parseFlow('actions=controller').actions,
    }
    expect(
      printed(
        'FLOW_MONITOR_STATS_REPLY',
        [
          { event: 'added', ...update },
          { event: 'deleted', ...update, reason: 2 },
          { event: 'abbrev', xid: 0x12 },
        ],
        OF14,
      ),
    ).toBe(
      'OFPST_FLOW_MONITOR reply (OF1.4) (xid=0x1f):\n' +
        ' event=ADDED table=5 idle_timeout=5 cookie=0x44 tcp actions=CONTROLLER:65535\n' +
        ' event=DELETED reason=delete table=5 idle_timeout=5 cookie=0x44 tcp actions=CONTROLLER:65535\n' +
        ' event=ABBREV xid=0x12',
    )
  })
})

describe('requests in words', () => {
  test('flow monitors', () => {
    const all = parseFlowMonitor('', 0)
    const some = parseFlowMonitor('!initial,!delete,table=1,out_port=2,tcp', 3)
    expect(some).toMatchObject({ id: 3, table: 1, outPort: 2 })
    expect(some.flags).toBe(all.flags & ~(1 | 4))
    expect(() => parseFlowMonitor('!everything', 0)).toThrow('!everything')
  })

  test('packet-outs', () => {
    const out = parsePacketOut('in_port=1 packet=0200000000010200000000020800 actions=output:2')
    expect(Buffer.from(out.packet).toString('hex')).toBe('0200000000010200000000020800')
    expect(printed('PACKET_OUT', out, OF13)).toBe(
      'OFPT_PACKET_OUT (OF1.3) (xid=0x1f): in_port=1 actions=output:2 data_len=14',
    )
    expect(() => parsePacketOut('in_port=1 packet=0200 actions=2')).toThrow('too short')
    expect(() => parsePacketOut('in_port=1 packet=0200')).toThrow('must specify actions')
    expect(() => parsePacketOut('in_port=1 actions=2')).toThrow('must specify packet')
  })
})
