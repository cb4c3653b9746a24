/** The options of dummy interfaces, read from the database. */
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { DatabaseReader } from '../vswitch/row-reader.ts'
import type { DummyOptions } from './dummy-links.ts'

const NAMES = ['pcap', 'rx_pcap', 'tx_pcap', 'stream', 'pstream']

/** By port; only those that have any. */
export function dummyOptionsOf(snapshot: Snapshot): Map<string, DummyOptions> {
  const reader = new DatabaseReader(snapshot)
  const found = new Map<string, DummyOptions>()
  for (const row of reader.all('Interface')) {
    const options = row.words('options')
    if (!NAMES.some((name) => options.has(name))) continue
    const both = options.get('pcap')
    const rxPcap = options.get('rx_pcap') ?? both
    const txPcap = options.get('tx_pcap') ?? both
    found.set(row.text('name'), {
      ...(rxPcap === undefined ? {} : { rxPcap }),
      ...(txPcap === undefined ? {} : { txPcap }),
      streams: [options.get('stream'), options.get('pstream')].filter((target) => target !== undefined),
    })
  }
  return found
}
