/**
 * The database server side by side with Open vSwitch's: small transactions, many ports, many rows. Every round has
 * both servers with new databases, one after the other, each by itself.
 */
import { Figures } from '../support/figures.ts'
import { leftOut, type Result } from '../support/result.ts'
import { manyRows, ports, prepare, smallTransactions } from './parts.ts'
import { missing, ours, ovsdbServer } from './peers.ts'

export async function ovsdb(
  quick: boolean,
  { rounds }: { rounds?: string | undefined } = {},
): Promise<Result[]> {
  if (missing !== undefined) return [leftOut('ovsdb-server', `${missing} is not installed`)]
  const figures = new Figures('OVSDB')
  const starts = [ours, ovsdbServer]
  for (let round = 0; round < Number(rounds ?? (quick ? 1 : 3)); round++) {
    for (const start of round % 2 === 0 ? starts : [...starts].reverse()) {
      const peer = await start()
      try {
        await prepare(peer)
        await smallTransactions(peer, quick ? 2000 : 10_000, figures)
        await ports(peer, quick ? 2000 : 10_000, figures)
        await manyRows(peer, quick ? 20_000 : 100_000, figures)
      } finally {
        await peer.stop()
      }
    }
  }
  return figures.results(['ours'])
}
