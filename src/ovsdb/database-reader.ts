/** Reads database files: the schema, and all transactions on top of an empty database. */

import { hash } from 'node:crypto'
import { type Database, emptyDatabase } from '../../protocols/ovsdb/database.ts'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import {
  hasRecordAfter,
  LogRecordError,
  parseHeader,
  type RecordCodec,
  readRecord,
} from '../../protocols/ovsdb/log-record.ts'
import { replayRecord } from '../../protocols/ovsdb/log-transaction.ts'
import { parseSchema } from '../../protocols/ovsdb/schema.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import { FileBytes } from './file-bytes.ts'

export const CODEC: RecordCodec = {
  sha1: (data) => hash('sha1', data),
  byteLength: (text) => Buffer.byteLength(text),
  encode: (text) => Buffer.from(text, 'utf8'),
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}

export interface ReadDatabase {
  readonly database: Database
  /** Bytes that are whole transactions. */
  readonly length: number
  /** Transactions, the schema not counted. */
  readonly records: number
  /** Why the file ends there, if it does not end with its last transaction: what is behind was torn by a crash. */
  readonly torn: string | undefined
}

/** @throws OvsdbError, also when the file is damaged in its middle: what is behind is not to be lost */
export function readDatabase(path: string, name: string, newUuid: () => Uuid): ReadDatabase {
  const file = new FileBytes(path, name)
  try {
    return readRecords(file, name, newUuid)
  } finally {
    file.close()
  }
}

/** Whether the file is that of a server of a cluster. @throws OvsdbError */
export function isClustered(path: string, name: string): boolean {
  const file = new FileBytes(path, name)
  try {
    return parseHeader(file, 0, CODEC.decode)?.magic === 'CLUSTER'
  } finally {
    file.close()
  }
}

function readRecords(file: FileBytes, name: string, newUuid: () => Uuid): ReadDatabase {
  const header = parseHeader(file, 0, CODEC.decode)
  if (header === undefined) throw new OvsdbError('ovsdb error', `${name}: unexpected file format`)
  if (header.magic === 'CLUSTER') {
    throw new OvsdbError(
      'ovsdb error',
      `${name}: a clustered database is served by ovsdb-server only; ovsdb-tool cluster-to-standalone makes another of it`,
    )
  }
  if (header.magic !== 'JSON') throw new OvsdbError('ovsdb error', `${name}: cannot identify file type`)
  const first = readRecord(file, 0, name, CODEC)
  let database = emptyDatabase(parseSchema(first.json))
  let length = first.end
  let records = 0
  try {
    while (length < file.length) {
      const { json, end } = readRecord(file, length, name, CODEC)
      database = replayRecord(database, json, newUuid).database
      length = end
      records++
    }
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error
    if (!(error instanceof LogRecordError) || hasRecordAfter(file, length, name, CODEC)) {
      throw new OvsdbError(error.tag, `${error.details}; it is not the last record, and nothing is lost yet`)
    }
    return { database, length, records, torn: error.message }
  }
  return { database, length, records, torn: undefined }
}
