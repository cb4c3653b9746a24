import type { Failure } from '../reconcile/converge.ts'
import type { Element } from '../reconcile/element.ts'
import type { Problem, RowReader } from './row-reader.ts'

/** What is wrong, by the row that has to tell it. */
export class Troubles {
  readonly #byRow = new Map<string, string>()
  readonly #byThing = new Map<string, string>()

  constructor(problems: readonly Problem[], failures: readonly Failure[]) {
    for (const { uuid, message } of problems) {
      if (!this.#byRow.has(uuid)) this.#byRow.set(uuid, message)
    }
    for (const { element, error } of failures) {
      const thing = thingOf(element)
      if (!this.#byThing.has(thing)) this.#byThing.set(thing, error.message.replace(/\.$/, ''))
    }
  }

  ofRow({ uuid }: RowReader): string | undefined {
    return this.#byRow.get(uuid)
  }

  ofBridge(row: RowReader): string | undefined {
    return (
      this.ofRow(row) ?? this.#byThing.get(`bridge/${row.text('name')}`) ?? this.#byRow.get(row.text('ipfix'))
    )
  }

  ofPort(row: RowReader): string | undefined {
    return this.ofRow(row) ?? this.#byRow.get(row.text('qos'))
  }

  ofInterface(row: RowReader, port: string): string | undefined {
    return this.ofRow(row) ?? this.#byThing.get(`port/${port}`)
  }

  ofLab(row: RowReader): string | undefined {
    const name = row.table === 'Device' ? row.text('port') : row.text('name')
    return this.ofRow(row) ?? this.#byThing.get(`${row.table.toLowerCase()}/${name}`)
  }
}

/** What an element is a part of, as far as there is a row for it. */
function thingOf(element: Element): string {
  switch (element.kind) {
    case 'port':
    case 'interface':
      return `port/${element.spec.name}`
    case 'bridge':
      return `bridge/${element.spec.name}`
    case 'ipfix':
      return `bridge/${element.spec.bridge}`
    case 'uplink':
      return `device/${element.internal}`
    case 'router':
      return `router/${element.spec.name}`
    case 'dhcp-server':
      return `router/${element.server.router}`
    case 'dhcp-client':
      return `host/${element.client.host}`
    case 'namespace':
      return `host/${element.name}`
    case 'address':
      return element.namespace === undefined ? `device/${element.device}` : `host/${element.namespace}`
    case 'route':
    case 'resolver':
      return `host/${element.namespace}`
  }
}
