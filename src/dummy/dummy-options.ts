/** The options of dummy interfaces, read from the database. */
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Touched } from '../vswitch/readings.ts'
import { DatabaseReader, type RowReader } from '../vswitch/row-reader.ts'
import type { DummyOptions } from './dummy-links.ts'

const NAMES = ['pcap', 'rx_pcap', 'tx_pcap', 'stream', 'pstream']

export class DummyOptionsReader {
  /** By row of the table Interface; only those that have any. */
  readonly #found = new Map<string, readonly [port: string, DummyOptions]>()

  /** Options by port, where there are any. @param touched what has changed since the last reading; at first everything */
  read(snapshot: Snapshot, touched: Touched): Map<string, DummyOptions> {
    const reader = new DatabaseReader(snapshot)
    for (const uuid of touched) {
      const row = reader.get('Interface', uuid)
      const options = row && optionsOf(row)
      if (options === undefined) this.#found.delete(uuid)
      else this.#found.set(uuid, [row!.text('name'), options])
    }
    return new Map(this.#found.values())
  }
}

function optionsOf(row: RowReader): DummyOptions | undefined {
  const options = row.words('options')
  if (!NAMES.some((name) => options.has(name))) return undefined
  const both = options.get('pcap')
  const rxPcap = options.get('rx_pcap') ?? both
  const txPcap = options.get('tx_pcap') ?? both
  return {
    ...(rxPcap === undefined ? {} : { rxPcap }),
    ...(txPcap === undefined ? {} : { txPcap }),
    streams: [options.get('stream'), options.get('pstream')].filter((target) => target !== undefined),
  }
}
