/** Errors: their numbers in each version are those that ovs-ofctl reads, and each fault gets the one it deserves. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isFault, type OfErrorName } from '../../../protocols/openflow/error.ts'
import { ERROR_CODES } from '../../../protocols/openflow/error-codes.ts'
import { errorMessage } from '../../../protocols/openflow/error-message.ts'
import { decodeMessage, encodeErrorReply, encodeMessage } from '../../../protocols/openflow/message.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { sampleBody } from '../../support/openflow-samples.ts'

const VERSIONS: readonly OfVersion[] = [1, 2, 3, 4, 5, 6]
const NAMES = Object.keys(ERROR_CODES) as OfErrorName[]

describe('an error', () => {
  const cases = NAMES.flatMap((name) => VERSIONS.map((version) => ({ name, version })))
  const messages = cases.map(
    ({ name, version }) =>
      encodeMessage('ERROR', errorMessage(name, version, new Uint8Array(0)), { version, xid: 1 })!,
  )

  test('is read as the real tool reads it, in every version', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ofp-errors-'))
    let lines: string[]
    try {
      writeFileSync(join(dir, 'errors'), Buffer.concat(messages))
      const text = execFileSync('ovs-ofctl', ['ofp-parse', join(dir, 'errors')], { encoding: 'utf8' })
      lines = text.split(/^(?=OFPT_ERROR)/m)
    } finally {
      rmSync(dir, { recursive: true })
    }
    const theirs = lines.map((l) => /\(xid=0x1\): (\w+)/.exec(l)?.[1])
    const ours = messages.map((b) => {
      const m = decodeMessage(b)
      return isFault(m) || m.type !== 'ERROR' ? undefined : m.body.name
    })
    expect(ours).toEqual(theirs)
  })

  test('brings back what gave offence, and its xid', () => {
    const offender = Uint8Array.from({ length: 100 }, (_, i) => i)
    offender.set([5, 20, 0, 100, 1, 2, 3, 4])
    const m = decodeMessage(encodeErrorReply('OFPBRC_BAD_LEN', offender))
    expect(m).toMatchObject({
      version: 5,
      xid: 0x01020304,
      body: { name: 'OFPBRC_BAD_LEN', data: offender },
    })
  })
})

function message(
  type: 'FLOW_MOD' | 'GROUP_MOD' | 'METER_MOD' | 'PACKET_OUT' | 'TABLE_MOD',
  version: OfVersion,
): Uint8Array {
  return encodeMessage(type, sampleBody(type, version) as never, { version, xid: 1 })!
}

function patched(b: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  b.set(bytes, at)
  return b
}

const header = (version: number, type: number, ...rest: number[]): Uint8Array => {
  const length = 8 + rest.length
  return Uint8Array.of(version, type, length >>> 8, length, 0, 0, 0, 1, ...rest)
}

const FAULTS: readonly (readonly [string, Uint8Array, OfErrorName])[] = [
  ['a version that does not exist', header(7, 5), 'OFPBRC_BAD_VERSION'],
  ['a type that does not exist', header(4, 99), 'OFPBRC_BAD_TYPE'],
  ['a type of another version', header(1, 29), 'OFPBRC_BAD_TYPE'],
  ['a statistic that does not exist', header(4, 18, 0, 99, 0, 0, 0, 0, 0, 0), 'OFPBRC_BAD_STAT'],
  ['an unknown experimenter', header(4, 4, 0, 1, 2, 3, 0, 0, 0, 1), 'OFPBRC_BAD_VENDOR'],
  ['an unknown message of a known one', header(4, 4, 0, 0, 0x23, 0x20, 0, 0, 0x77, 0), 'OFPBRC_BAD_SUBTYPE'],
  ['a body that must be empty', header(4, 20, 0, 0, 0, 0, 0, 0, 0, 0), 'OFPBRC_BAD_LEN'],
  ['a body cut short', header(4, 14, 0, 0), 'OFPBRC_BAD_LEN'],
  ['an unknown flow-mod command', patched(message('FLOW_MOD', 4), 25, 9), 'OFPFMFC_BAD_COMMAND'],
  ['an addition to all tables', patched(message('FLOW_MOD', 4), 24, 0xff), 'OFPFMFC_BAD_TABLE_ID'],
  ['flags that do not exist', patched(message('FLOW_MOD', 4), 44, 0x80), 'OFPFMFC_BAD_FLAGS'],
  ['flags of a later version', patched(message('FLOW_MOD', 3), 45, 0x08), 'OFPFMFC_BAD_FLAGS'],
  ['a match of an unknown type', patched(message('FLOW_MOD', 4), 49, 7), 'OFPBMC_BAD_TYPE'],
  ['the emergency cache', patched(message('FLOW_MOD', 1), 71, 4), 'OFPFMFC_BAD_EMERG_TIMEOUT'],
  ['an unknown group command', patched(message('GROUP_MOD', 4), 9, 9), 'OFPGMFC_BAD_COMMAND'],
  ['an unknown group type', patched(message('GROUP_MOD', 4), 10, 9), 'OFPGMFC_BAD_TYPE'],
  ['a bucket longer than its group', patched(message('GROUP_MOD', 4), 16, 0xff), 'OFPGMFC_BAD_BUCKET'],
  ['an unknown meter command', patched(message('METER_MOD', 4), 9, 9), 'OFPMMFC_BAD_COMMAND'],
  ['a meter in kbps and packets/s', patched(message('METER_MOD', 4), 11, 3), 'OFPMMFC_BAD_FLAGS'],
  ['an unknown meter band', patched(message('METER_MOD', 4), 17, 7), 'OFPMMFC_BAD_BAND'],
  [
    'a packet-out from nowhere',
    patched(message('PACKET_OUT', 4), 12, 0xff, 0xff, 0xff, 0xfb),
    'OFPBRC_BAD_PORT',
  ],
  ['a packet-out whose actions do not end', patched(message('PACKET_OUT', 4), 16, 0xff), 'OFPBRC_BAD_LEN'],
  ['a vacancy threshold over 100 %', patched(message('TABLE_MOD', 5), 21, 101), 'OFPBPC_BAD_VALUE'],
  ['a role that does not exist', header(4, 24, 0, 0, 0, 9, ...Array(12).fill(0)), 'OFPRRFC_BAD_ROLE'],
  ['configuration flags that do not exist', header(4, 9, 0, 8, 0, 128), 'OFPSCFC_BAD_FLAGS'],
  ['an async property that does not exist', header(5, 28, 0, 99, 0, 8, 0, 0, 0, 0), 'OFPACFC_UNSUPPORTED'],
  ['an async reason that does not exist', header(5, 28, 0, 2, 0, 8, 0, 0, 0, 0xff), 'OFPACFC_INVALID'],
  [
    'a packet-in format that does not exist',
    header(1, 4, 0, 0, 0x23, 0x20, 0, 0, 0, 16, 0, 0, 0, 9),
    'OFPBRC_EPERM',
  ],
]

describe('the fault of', () => {
  test.each(FAULTS)('%s', (_, bytes, name) => {
    expect(decodeMessage(bytes, { tableIdExtension: true })).toEqual({ error: name })
  })
})
