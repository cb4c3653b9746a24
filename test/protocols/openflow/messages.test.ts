/** Every message of every version, in every form it has, and what the real ovs-ofctl reads in its bytes. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, type Message } from '../../../protocols/openflow/message.ts'
import { MESSAGE_FORMS, type MessageForm } from '../../../protocols/openflow/message-forms.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { sampleBody } from '../../support/openflow-samples.ts'

interface Case {
  form: MessageForm
  version: OfVersion
  bytes: Uint8Array
}

const cases: Case[] = []
for (const form of MESSAGE_FORMS) {
  for (let v = form.first; v <= form.last; v++) {
    const version = v as OfVersion
    const bytes = encodeMessage(form.type, sampleBody(form.type, version), { version, xid: 1, form })
    if (bytes === undefined) throw new Error(`${form.name} cannot be encoded`)
    cases.push({ form, version, bytes })
  }
}

const nameOf = ({ form, version }: Case): string => `${form.name} in 1.${version - 1}`

function decoded(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes, { tableIdExtension: true })
  if ('error' in message) throw new Error(message.error)
  return message
}

describe('a message that was encoded', () => {
  test.each(cases.map((c) => [nameOf(c), c] as const))(
    '%s is decoded and encodes to the same bytes',
    (_, c) => {
      const message = decoded(c.bytes)
      expect(message).toMatchObject({ type: c.form.type, version: c.version, xid: 1, more: false })
      expect(message.form).toBe(c.form)
      const again = encodeMessage(message.type, message.body as never, {
        version: c.version,
        xid: 1,
        form: c.form,
      })
      expect(again).toEqual(c.bytes)
    },
  )

  /** What a form leaves out is not compared here; the bytes above are. */
  const LOSSY =
    /^(NXT_SET_ASYNC_CONFIG2?|OFPT_ERROR|OFPST10_FLOW_REPLY|OFPST11_FLOW_REPLY|OFPST13_FLOW_REPLY|NXST_FLOW_REPLY|OFPST15_FLOW_REPLY|\w*FLOW_REMOVED|\w*TABLE_REPLY|\w*PORT_REPLY|\w*QUEUE_REPLY|\w*GROUP_REPLY|NXT_ROLE_\w+|NXT_PACKET_IN|NXT_PACKET_IN2|NXT_FLOW_MOD|OFPT10_FLOW_MOD|OFPT1\d_PORT_STATUS|OFPST1\d_PORT_DESC_REPLY|\w*FEATURES_REPLY|OFPT10_PORT_MOD|OFPT11_PORT_MOD|OFPT10_PACKET_IN|NXST_FLOW_REQUEST|NXST_AGGREGATE_REQUEST)$/
  const exact = cases.filter((c) => !LOSSY.test(c.form.name))
  test.each(exact.map((c) => [nameOf(c), c] as const))('%s says what it was told', (_, c) => {
    expect(decoded(c.bytes).body).toEqual(sampleBody(c.form.type, c.version))
  })
})

/** Prints all messages by one call of the real tool; echo replies between them tell where each begins. */
function printAll(messages: readonly Uint8Array[]): string[] {
  const separator = encodeMessage('ECHO_REPLY', new Uint8Array(0), { version: 1, xid: 0xfeed })!
  const dir = mkdtempSync(join(tmpdir(), 'ofp-parse-'))
  try {
    const file = join(dir, 'messages')
    writeFileSync(file, Buffer.concat(messages.flatMap((m) => [m, separator])))
    const text = execFileSync('ovs-ofctl', ['ofp-parse', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text.split('OFPT_ECHO_REPLY (xid=0xfeed): 0 bytes of payload\n').slice(0, -1)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

describe('ovs-ofctl', () => {
  const printed = printAll(cases.map((c) => c.bytes))

  test('takes every message for one', () => {
    expect(printed.length).toBe(cases.length)
  })

  test.each(cases.map((c, i) => [nameOf(c), i] as const))('understands %s', (_, i) => {
    expect(printed[i]).not.toMatch(/\*\*\*|decode error/)
  })

  const text = (name: string, version: OfVersion): string =>
    printed[cases.findIndex((c) => c.form.name === name && c.version === version)]

  test('prints what was meant', () => {
    const named = (list: readonly (readonly [string, OfVersion])[]): string =>
      list.map(([name, version]) => text(name, version).trimEnd()).join('\n')
    expect(
      named([
        ['OFPT10_FEATURES_REPLY', 1],
        ['OFPT11_FEATURES_REPLY', 3],
        ['OFPT_SET_CONFIG', 1],
        ['OFPT10_FLOW_MOD', 1],
        ['NXT_FLOW_MOD', 1],
        ['OFPT11_FLOW_MOD', 2],
        ['OFPT11_FLOW_MOD', 5],
        ['OFPT11_FLOW_REMOVED', 4],
        ['OFPT15_FLOW_REMOVED', 6],
        ['NXT_FLOW_REMOVED', 1],
        ['OFPT14_PORT_STATUS', 5],
        ['OFPT10_PORT_MOD', 1],
        ['OFPT14_PORT_MOD', 6],
        ['OFPT11_TABLE_MOD', 2],
        ['OFPT14_TABLE_MOD', 5],
        ['OFPT15_GROUP_MOD', 6],
        ['OFPT11_GROUP_MOD', 4],
        ['OFPT13_METER_MOD', 4],
        ['OFPT12_ROLE_REQUEST', 4],
        ['NXT_ROLE_REPLY', 1],
        ['OFPT14_SET_ASYNC', 5],
        ['OFPT14_TABLE_STATUS', 5],
        ['OFPT14_REQUESTFORWARD', 5],
        ['OFPT14_BUNDLE_CONTROL', 5],
        ['ONFT13_BUNDLE_ADD_MESSAGE', 4],
        ['OFPST15_FLOW_REPLY', 6],
        ['NXST_FLOW_REPLY', 1],
        ['OFPST13_FLOW_REPLY', 5],
        ['OFPST10_FLOW_REQUEST', 1],
        ['NXST_FLOW_REQUEST', 1],
        ['OFPST15_AGGREGATE_REPLY', 6],
        ['OFPST12_TABLE_REPLY', 3],
        ['OFPST14_PORT_REPLY', 5],
        ['OFPST10_PORT_REPLY', 1],
        ['OFPST14_QUEUE_REPLY', 5],
        ['OFPST14_QUEUE_DESC_REPLY', 5],
        ['OFPT11_QUEUE_GET_CONFIG_REPLY', 3],
        ['OFPST13_GROUP_REPLY', 4],
        ['OFPST11_GROUP_DESC_REPLY', 6],
        ['OFPST12_GROUP_FEATURES_REPLY', 4],
        ['OFPST13_METER_REPLY', 4],
        ['OFPST13_METER_CONFIG_REPLY', 4],
        ['OFPST13_METER_FEATURES_REPLY', 4],
        ['OFPST13_TABLE_FEATURES_REPLY', 6],
        ['OFPST14_TABLE_DESC_REPLY', 5],
        ['OFPST14_FLOW_MONITOR_REQUEST', 5],
        ['OFPST14_FLOW_MONITOR_REPLY', 5],
        ['ONFST13_FLOW_MONITOR_REPLY', 4],
        ['NXST_FLOW_MONITOR_REPLY', 1],
        ['NXT_TLV_TABLE_REPLY', 1],
        ['NXT_RESUME', 6],
        ['NXT_CT_FLUSH', 1],
        ['NXST_IPFIX_FLOW_REPLY', 4],
      ]),
    ).toMatchSnapshot()
  })
})
