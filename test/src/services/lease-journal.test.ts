import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeJournal, encodeRecord } from '../../../protocols/dhcp/journal.ts'
import type { LeaseRecord } from '../../../protocols/dhcp/lease-record.ts'
import { DhcpService } from '../../../src/services/dhcp-server.ts'
import { LeaseJournal, LeaseJournalError } from '../../../src/services/lease-journal.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { hardware, ip, serverConfig } from '../../support/dhcp.ts'
import { DhcpNetwork } from '../../support/dhcp-network.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leases-'))
  path = join(directory, 'rt.eth0.leases')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function lease(n: number, expires = 1e15): LeaseRecord {
  return {
    address: ip('10.0.0.0') + n,
    state: 'bound',
    expires,
    htype: 1,
    chaddr: hardware(n),
    clientId: undefined,
    hostname: `h${n}`,
  }
}

const failures: (LeaseJournalError | undefined)[] = []
const options = (over: object = {}) => {
  failures.length = 0
  return {
    path,
    snapshot: () => [],
    size: () => 0,
    onFailure: (e: LeaseJournalError | undefined) => failures.push(e),
    ...over,
  }
}

function write(journal: LeaseJournal, record: LeaseRecord): Promise<Error | undefined> {
  return new Promise((resolve) => journal.append(record, resolve))
}

describe('LeaseJournal', () => {
  it('creates the file for its owner only, and reads back what was written', async () => {
    const { journal, replayed } = await LeaseJournal.open(options())
    expect(replayed).toEqual({ records: [], torn: 0, damaged: 0 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await write(journal, lease(1))).toBeUndefined()
    expect(await write(journal, lease(2))).toBeUndefined()
    await journal.close()
    await journal.close()
    const again = await LeaseJournal.open(options())
    expect(again.replayed.records).toEqual([lease(1), lease(2)])
    await again.journal.close()
  })

  it('a record is on the medium when its callback comes, in the order of appending', async () => {
    const { journal } = await LeaseJournal.open(options())
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        write(journal, lease(n)).then(() => {
          order.push(n)
          const held = readFileSync(path)
          expect(held.includes(Buffer.from(encodeRecord(lease(n))))).toBe(true)
        }),
      ),
    )
    expect(order).toEqual([...Array(500).keys()])
    await journal.close()
  })

  it('close waits for what was appended; after it, appending fails by name', async () => {
    const { journal } = await LeaseJournal.open(options())
    const pending = write(journal, lease(1))
    await journal.close()
    expect(await pending).toBeUndefined()
    expect(await write(journal, lease(2))).toMatchObject({ code: 'ECLOSED' })
  })

  it('torn at every byte of the last record, it opens, and goes on behind the last whole one', async () => {
    const whole = encodeJournal([lease(1), lease(2)])
    const last = encodeRecord(lease(2)).length
    for (let cut = 1; cut <= last; cut++) {
      writeFileSync(path, whole.subarray(0, whole.length - cut))
      const { journal, replayed } = await LeaseJournal.open(options())
      expect(replayed).toMatchObject({ records: [lease(1)], torn: last - cut })
      await write(journal, lease(3))
      await journal.close()
      expect(new Uint8Array(readFileSync(path))).toEqual(encodeJournal([lease(1), lease(3)]))
    }
  })

  it('torn within its heading, it starts anew', async () => {
    for (let n = 0; n < 8; n++) {
      writeFileSync(path, encodeJournal([]).subarray(0, n))
      const { journal } = await LeaseJournal.open(options())
      await write(journal, lease(3))
      await journal.close()
      expect(new Uint8Array(readFileSync(path))).toEqual(encodeJournal([lease(3)]))
    }
  })

  it('is compacted to what is still true, and what follows is behind it', async () => {
    const live = new Map<number, LeaseRecord>()
    const { journal } = await LeaseJournal.open(
      options({ snapshot: () => live.values(), size: () => live.size, compactAfter: 50 }),
    )
    for (let i = 0; i < 1000; i++) {
      const record = lease(i % 5, 1000 + i)
      await write(journal, record)
      live.set(record.address, record)
    }
    await journal.close()
    expect(statSync(path).size).toBeLessThan(60 * encodeRecord(lease(1)).length)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['rt.eth0.leases'])
    const { journal: again, replayed } = await LeaseJournal.open(options())
    const state = new Map(replayed.records.map((r) => [r.address, r.expires]))
    expect([...state.values()].sort()).toEqual([1995, 1996, 1997, 1998, 1999])
    await again.close()
  })

  it('is left alone while most of what it holds is true', async () => {
    let snapshots = 0
    const count = () => {
      snapshots++
      return []
    }
    const { journal } = await LeaseJournal.open(options({ snapshot: count, size: () => 40, compactAfter: 5 }))
    for (let n = 0; n < 80; n++) await write(journal, lease(n))
    expect(snapshots).toBe(0)
    await write(journal, lease(80))
    expect(snapshots).toBe(1)
    await journal.close()
    expect(new Uint8Array(readFileSync(path))).toEqual(encodeJournal([lease(80)]))
  })

  it('what a crash leaves behind the records, room that was made, is no damage', async () => {
    const { journal } = await LeaseJournal.open(options())
    await write(journal, lease(1))
    await write(journal, lease(2))
    writeFileSync(`${path}.copy`, readFileSync(path))
    await journal.close()
    const { journal: again, replayed } = await LeaseJournal.open(options({ path: `${path}.copy` }))
    expect(replayed).toMatchObject({ records: [lease(1), lease(2)], damaged: 0 })
    expect(replayed.torn).toBeGreaterThan(0)
    await again.close()
  })

  it('a crash during compaction leaves the old file in force', async () => {
    writeFileSync(path, encodeJournal([lease(1)]))
    writeFileSync(`${path}.new`, encodeJournal([lease(9)]).subarray(0, 20))
    const { journal, replayed } = await LeaseJournal.open(options())
    expect(replayed.records).toEqual([lease(1)])
    expect(readdirSync(directory)).toEqual(['rt.eth0.leases'])
    await journal.close()
  })

  it('damage in the middle is passed over and mended by the next write', async () => {
    const b = encodeJournal([lease(1), lease(2), lease(3)])
    b[encodeJournal([lease(1)]).length + 9] ^= 1
    writeFileSync(path, b)
    const kept = [lease(1), lease(3)]
    const { journal, replayed } = await LeaseJournal.open(options({ snapshot: () => kept }))
    expect(replayed).toMatchObject({ records: kept, damaged: encodeRecord(lease(2)).length })
    await write(journal, lease(4))
    await journal.close()
    expect(new Uint8Array(readFileSync(path))).toEqual(encodeJournal([...kept, lease(4)]))
  })

  it('refuses a file that is no journal, and leaves it alone', async () => {
    writeFileSync(path, '{"leases": []}')
    await expect(LeaseJournal.open(options())).rejects.toMatchObject({
      name: 'LeaseJournalError',
      code: 'EFORMAT',
    })
    expect(readFileSync(path, 'utf8')).toBe('{"leases": []}')
  })

  it('says what is wrong when the directory is missing', async () => {
    const missing = join(directory, 'no', 'where')
    await expect(LeaseJournal.open(options({ path: missing }))).rejects.toThrow(
      /cannot open the lease journal/,
    )
  })

  it('writes that fail: one report, no callback without error, and on it goes when there is room', async () => {
    const { journal } = await LeaseJournal.open(options({ compactAfter: 3, snapshot: () => [lease(1)] }))
    for (let n = 0; n < 3; n++) await write(journal, lease(n))
    // Compaction is due and its temporary file cannot be made: a directory stands in its place.
    mkdirSync(`${path}.new`)
    const errors = [await write(journal, lease(4)), await write(journal, lease(5))]
    expect(errors[0]).toBeInstanceOf(LeaseJournalError)
    expect(errors[1]).toBeInstanceOf(LeaseJournalError)
    expect(failures).toHaveLength(1)
    rmdirSync(`${path}.new`)
    expect(await write(journal, lease(6))).toBeUndefined()
    expect(failures).toHaveLength(2)
    expect(failures[1]).toBeUndefined()
    await journal.close()
    expect(new Uint8Array(readFileSync(path))).toEqual(encodeJournal([lease(1), lease(6)]))
  })
})

describe('DhcpService with a journal on disk', () => {
  it('a lease survives a restart and a torn write, and is served as before', async () => {
    const clock = new VirtualClock()
    const network = new DhcpNetwork(clock)
    const open = (lines: string[] = []) =>
      DhcpService.open(
        { config: serverConfig(), port: network.plug(), clock, log: (_, l) => lines.push(l) },
        path,
      )
    const first = await open()
    const host = network.join(1)
    for (let i = 0; i < 200 && host.applied === undefined; i++) {
      clock.advance(20)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(host.applied?.address).toBe(ip('10.0.0.151'))
    // kill -9: nobody closes anything, and half a record is on the disk.
    network.unplug()
    appendFileSync(path, encodeRecord(lease(7)).subarray(0, 15))
    const second = await open()
    expect(second.leases()).toMatchObject([{ address: ip('10.0.0.151'), mac: 1, state: 'bound' }])
    expect(second.leases()).toEqual(first.leases())
    await first.close()
    await second.close()
  })
})

describe('realClock', () => {
  it('calls at or after the time, not from within schedule, and not when cancelled', async () => {
    const called: string[] = []
    await new Promise<void>((resolve) => {
      realClock.schedule(realClock.now() - 5, () => called.push('past'))
      realClock.schedule(realClock.now() + 1e12, () => called.push('far'))()
      realClock.schedule(realClock.now() + 5, () => called.push('cancelled'))()
      const at = realClock.now() + 20
      realClock.schedule(at, () => {
        called.push(realClock.now() >= at ? 'due' : 'early')
        resolve()
      })
      expect(called).toEqual([])
    })
    expect(called).toEqual(['past', 'due'])
  })
})
