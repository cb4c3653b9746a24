/**
 * A collector of IPFIX messages (RFC 7011) that knows nothing but the standard: it reads records by the templates
 * that came before them, and is strict about everything else. Values are hexadecimal digits, by "number" or
 * "enterprise/number" of the element; a second one of a kind stands behind a `+`.
 */

export interface CollectedTemplate {
  readonly id: number
  readonly scope: number
  /** "number:length" or "enterprise/number:length". */
  readonly fields: readonly string[]
}

export interface CollectedRecord {
  readonly domain: number
  readonly template: number
  readonly sequence: number
  readonly exportTime: number
  readonly values: Readonly<Record<string, string>>
}

export class IpfixCollector {
  /** By "domain id". */
  readonly templates = new Map<string, CollectedTemplate>()
  readonly records: CollectedRecord[] = []
  messages = 0
  /** Messages that carried templates. */
  templateMessages = 0
  /** Where a domain's sequence number was not the number of records before it. */
  gaps = 0
  readonly #next = new Map<string, number>()

  /** @param session who sent it: an exporter counts its records for itself */
  receive(message: Uint8Array, session = 0): void {
    const dv = new DataView(message.buffer, message.byteOffset, message.byteLength)
    if (message.length < 16 || dv.getUint16(0) !== 10) throw new Error('not a message of version 10')
    if (dv.getUint16(2) !== message.length) throw new Error('a message of another length')
    this.messages++
    const exportTime = dv.getUint32(4)
    const sequence = dv.getUint32(8)
    const domain = dv.getUint32(12)
    const stream = `${session} ${domain}`
    if (sequence !== (this.#next.get(stream) ?? 0)) this.gaps++
    const before = this.records.length
    for (let o = 16; o < message.length; ) {
      const id = dv.getUint16(o)
      const end = o + dv.getUint16(o + 2)
      if (end < o + 4 || end > message.length) throw new Error('a set of an impossible length')
      const set = new DataView(message.buffer, message.byteOffset + o + 4, end - o - 4)
      if (id === 2 || id === 3) {
        this.templateMessages++
        this.#takeTemplates(domain, set, id === 3)
      } else this.#takeRecords({ domain, sequence, exportTime }, id, set)
      o = end
    }
    this.#next.set(stream, sequence + this.records.length - before)
  }

  /** All but those about exporters. */
  flows(): CollectedRecord[] {
    return this.records.filter((r) => r.values['144'] === undefined)
  }

  #takeTemplates(domain: number, set: DataView, options: boolean): void {
    for (let o = 0; o + 4 <= set.byteLength; ) {
      const id = set.getUint16(o)
      const count = set.getUint16(o + 2)
      const scope = options ? set.getUint16(o + 4) : 0
      o += options ? 6 : 4
      const fields: string[] = []
      for (let i = 0; i < count; i++) {
        const element = set.getUint16(o)
        const length = set.getUint16(o + 2)
        o += 4
        if ((element & 0x8000) === 0) fields.push(`${element}:${length}`)
        else {
          fields.push(`${set.getUint32(o)}/${element & 0x7fff}:${length}`)
          o += 4
        }
      }
      this.templates.set(`${domain} ${id}`, { id, scope, fields })
    }
  }

  #takeRecords(
    header: Pick<CollectedRecord, 'domain' | 'sequence' | 'exportTime'>,
    id: number,
    set: DataView,
  ) {
    const template = this.templates.get(`${header.domain} ${id}`)
    if (template === undefined) throw new Error(`a record of template ${id}, of which nothing is known`)
    for (let o = 0; o < set.byteLength; ) {
      const values: Record<string, string> = {}
      for (const field of template.fields) {
        const [name, width] = field.split(':')
        let length = Number(width)
        if (length === 0xffff) length = set.getUint8(o++)
        if (o + length > set.byteLength) throw new Error('a record that is cut short')
        const bytes = new Uint8Array(set.buffer, set.byteOffset + o, length)
        values[name in values ? `${name}+` : name] = Buffer.from(bytes).toString('hex')
        o += length
      }
      this.records.push({ ...header, template: id, values })
    }
  }
}
