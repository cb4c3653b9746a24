/**
 * Messages, RFC 7011 §3: a header, then sets of templates or of data records. A message carries sets of one
 * kind only, and one data record, as those of Open vSwitch do.
 */
import { ByteWriter } from '../openflow/byte-writer.ts'
import { ENTERPRISE_BIT, type InformationElement } from './information-elements.ts'
import { EXPORTER_STATS, EXPORTER_STATS_ID, templatesOf } from './template.ts'

const VERSION = 10
const LENGTH = 2
const HEADER_LEN = 16
const TEMPLATE_SET = 2
const OPTIONS_TEMPLATE_SET = 3
const SET_LENGTH = 2
/** Longest message of templates; data records are shorter. For paths of a small MTU (RFC 7011 §10.3.3). */
const MAX_MESSAGE = 1024

export interface MessageHeader {
  /** Seconds since the Unix epoch. */
  readonly exportTime: number
  /** Data records sent before in this observation domain, modulo 2^32. */
  readonly sequence: number
  readonly obsDomainId: number
}

function begin({ exportTime, sequence, obsDomainId }: MessageHeader, setId: number): ByteWriter {
  const w = new ByteWriter(MAX_MESSAGE)
  w.u16(VERSION).u16(0).u32(exportTime).u32(sequence).u32(obsDomainId)
  return w.u16(setId).u16(0)
}

function end(w: ByteWriter): Uint8Array {
  w.patch16(LENGTH, w.length)
  w.patch16(HEADER_LEN + SET_LENGTH, w.length - HEADER_LEN)
  return w.finish()
}

function fieldsLen(list: readonly InformationElement[]): number {
  return list.reduce((sum, { enterprise }) => sum + (enterprise === 0 ? 4 : 8), 0)
}

function putFields(w: ByteWriter, list: readonly InformationElement[]): void {
  for (const { id, length, enterprise } of list) {
    w.u16(enterprise === 0 ? id : ENTERPRISE_BIT | id).u16(length)
    if (enterprise !== 0) w.u32(enterprise)
  }
}

/** Every template, in as many messages as it takes. @param virtualObsId whether the exporter has such an id */
export function templateMessages(header: MessageHeader, virtualObsId: boolean): Uint8Array[] {
  const messages: Uint8Array[] = []
  let w = begin(header, TEMPLATE_SET)
  for (const { id, fields: list } of templatesOf(virtualObsId)) {
    if (w.length + 4 + fieldsLen(list) > MAX_MESSAGE) {
      messages.push(end(w))
      w = begin(header, TEMPLATE_SET)
    }
    w.u16(id).u16(list.length)
    putFields(w, list)
  }
  messages.push(end(w))
  return messages
}

/** The options template of the exporter's own statistics, RFC 7011 §4.3 and §3.4.2.2. */
export function exporterTemplateMessage(header: MessageHeader): Uint8Array {
  const w = begin(header, OPTIONS_TEMPLATE_SET)
  w.u16(EXPORTER_STATS_ID).u16(EXPORTER_STATS.length).u16(1)
  putFields(w, EXPORTER_STATS)
  return end(w)
}

/** @param put writes the record of the template with that number */
export function dataMessage(
  header: MessageHeader,
  template: number,
  put: (w: ByteWriter) => void,
): Uint8Array {
  const w = begin(header, template)
  put(w)
  return end(w)
}
