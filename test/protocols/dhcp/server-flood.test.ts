import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../protocols/random.ts'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { ALL, ask, ip, MAC, SERVER_ID, ServerBench, serverConfig, subnet } from '../../support/dhcp.ts'

const FIRST = ip('10.0.0.151')
const { DISCOVER, REQUEST, ACK } = dhcp
const types = (answers: { type: number }[]) => answers.map((a) => a.type)

describe('a flood', () => {
  it('of 100,000 client identifiers stays within the bounds, and a real client still gets in', () => {
    const ranges = [{ first: ip('10.1.0.0'), last: ip('10.1.255.255') }]
    const big = { ...subnet({ address: ip('10.1.0.0'), prefixLength: 16, ranges }) }
    const maxOffers = 1000
    const b = new ServerBench(serverConfig({ serverId: ip('10.1.0.1'), subnets: [big], maxOffers }))
    const clientId = new Uint8Array(8)
    const view = new DataView(clientId.buffer)
    b.lease({ mac: 7 })
    let most = 0
    for (let i = 0; i < 100_000; i++) {
      view.setUint32(0, i)
      b.give(ask(DISCOVER, { mac: i, clientId: clientId.slice() }))
      if (i % 10 === 0) b.pass(1)
      if (i % 1000 !== 0) continue
      most = Math.max(most, b.server.leases().length)
      expect(types(b.give(ask(DISCOVER, { mac: 7 })))).toEqual([dhcp.OFFER])
    }
    expect(most).toBeGreaterThan(900)
    expect(most).toBeLessThanOrEqual(maxOffers + 1)
    b.pass(1000)
    expect(b.lease({ mac: MAC })).toMatchObject({ type: ACK })
    b.pass(31_000)
    expect(b.server.leases()).toHaveLength(2)
    expect(b.events).toEqual([])
  })

  it('of 100,000 client identifiers over ten addresses hurts no one who has a lease, and one who wants in gets in', () => {
    const b = new ServerBench()
    b.lease()
    for (let i = 0; i < 100_000; i++) {
      b.give(ask(DISCOVER, { mac: 0x0600_0000_0000 + i }))
      if (i % 100 === 0) b.pass(10)
    }
    expect(types(b.give(ask(REQUEST, { ciaddr: FIRST }), SERVER_ID))).toEqual([ACK])
    expect(b.server.leases().length).toBeLessThanOrEqual(10)
    b.pass(1000)
    expect(b.lease({ mac: 2 })).toMatchObject({ type: ACK })
    expect(b.events).toHaveLength(1)
  })

  it('of requests out of the blue is bounded by maxLeases', () => {
    const ranges = [{ first: ip('10.1.0.10'), last: ip('10.1.255.200') }]
    const big = subnet({ address: ip('10.1.0.0'), prefixLength: 16, ranges })
    const b = new ServerBench(serverConfig({ serverId: ip('10.1.0.1'), subnets: [big], maxLeases: 100 }))
    for (let i = 0; i < 1000; i++) {
      b.give(ask(REQUEST, { mac: i, requested: ip('10.1.0.10') + i, serverId: ip('10.1.0.1') }))
    }
    expect(b.server.leases()).toHaveLength(100)
    b.pass(86_400_001)
    expect(
      types(b.give(ask(REQUEST, { mac: 5000, requested: ip('10.1.9.9'), serverId: ip('10.1.0.1') }))),
    ).toEqual([ACK])
    expect(b.server.leases()).toHaveLength(100)
  })
})

describe('any input', () => {
  it('200,000 mutated messages: no throw, tables within bounds, no lease twice', () => {
    const b = new ServerBench(serverConfig({ quarantineTime: 1000 }))
    const random = seededRandom(11)
    const pick = <T>(list: readonly T[]): T => list[random() % list.length]
    for (let i = 0; i < 200_000; i++) {
      const message = ask(pick([1, 1, 3, 3, 3, 4, 7, 8]), {
        mac: random() % 20,
        xid: random() % 4,
        ...(random() % 2 ? { requested: FIRST + (random() % 12) } : {}),
        ...(random() % 2 ? { serverId: pick([SERVER_ID, SERVER_ID, 1]) } : {}),
        ...(random() % 3 ? {} : { ciaddr: FIRST + (random() % 12) }),
        ...(random() % 8 ? {} : { giaddr: pick([ip('10.0.0.3'), 77]) }),
      })
      const payload = dhcp.emit(message)
      for (let k = random() % 4; k > 0; k--) payload[random() % 290] = random()
      b.server.receive(b.now, random() % 9 ? payload : payload.subarray(0, random() % 300), {
        sourceIp: 0,
        destinationIp: pick([ALL, SERVER_ID]),
      })
      if (random() % 3 === 0) b.settle()
      if (random() % 50 === 0) b.pass(random() % 2000)
      if (random() % 5000 === 0) b.pass(90_000_000)
      if (i % 500 === 0) {
        const rows = b.server.leases()
        if (rows.length > 10) throw new Error('more leases than addresses')
        const owners = rows.filter((r) => r.state === 'bound').map((r) => r.address)
        if (new Set(owners).size !== owners.length) throw new Error('an address is leased twice')
      }
      b.answers.length = 0
      b.journal.length = 0
      b.events.length = 0
    }
    const { counters } = b.server
    for (const name of ['offer', 'ack', 'nak', 'malformed', 'silent', 'refused'] as const) {
      expect(counters[name], name).toBeGreaterThan(50)
    }
  })
})
