import { describe, expect, it } from 'vitest'
import { clientIdFromMac } from '../../../protocols/dhcp/client-identity.ts'
import { checkDhcpServerConfig } from '../../../protocols/dhcp/config.ts'
import { MAX_PENDING } from '../../../protocols/dhcp/server.ts'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { ask, hardware, ip, MAC, SERVER_ID, ServerBench, serverConfig, subnet } from '../../support/dhcp.ts'

const FIRST = ip('10.0.0.151')
const { DISCOVER, REQUEST, ACK, NAK, RELEASE } = dhcp
const types = (answers: { type: number }[]) => answers.map((a) => a.type)

describe('client identity', () => {
  it('is the client identifier, not the hardware address, where there is one (RFC 2131 §4.2)', () => {
    const b = new ServerBench()
    const one = b.lease({ clientId: Uint8Array.of(0, 1) }).yiaddr
    const two = b.lease({ clientId: Uint8Array.of(0, 2) }).yiaddr
    expect(two).not.toBe(one)
    expect(b.lease({ mac: 0x0200_0000_0099, clientId: Uint8Array.of(0, 1) }).yiaddr).toBe(one)
  })
  it('is opaque: IAID and DUID of RFC 4361 as any other', () => {
    expect([...clientIdFromMac(MAC)]).toEqual([255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1])
    const b = new ServerBench()
    const id = clientIdFromMac(MAC)
    const { yiaddr } = b.lease({ clientId: id })
    expect(b.lease({ clientId: id, mac: 5 }).yiaddr).toBe(yiaddr)
    expect(b.server.leases()).toHaveLength(1)
  })
  it('1 + MAC address is the same client as the bare MAC address', () => {
    const b = new ServerBench()
    const { yiaddr } = b.lease()
    expect(b.lease({ clientId: Uint8Array.of(1, ...hardware(MAC)) }).yiaddr).toBe(yiaddr)
  })
  it('is echoed in DHCPOFFER, DHCPACK and DHCPNAK (RFC 6842), and not made up', () => {
    const b = new ServerBench()
    const clientId = Uint8Array.of(0, 7)
    expect(b.discover({ clientId })!.options.get(61)).toEqual(clientId)
    expect(b.lease({ clientId }).options.get(61)).toEqual(clientId)
    const [nak] = b.give(ask(REQUEST, { clientId, requested: ip('192.0.2.1') }))
    expect(nak.options.get(61)).toEqual(clientId)
    expect(b.lease({ mac: 3 }).options.has(61)).toBe(false)
  })
})

describe('relay agents', () => {
  const far = {
    address: ip('10.2.0.0'),
    prefixLength: 16,
    ranges: [{ first: ip('10.2.5.1'), last: ip('10.2.5.9') }],
    leaseTime: 600,
  }
  const config = serverConfig({ subnets: [subnet(), far] })
  it('the subnet of giaddr chooses pool, mask and lease time', () => {
    const ack = new ServerBench(config).lease({ giaddr: ip('10.2.0.1') })
    expect(ack.yiaddr).toBe(ip('10.2.5.1'))
    expect(dhcp.optionU32(ack.options, 1)).toBe(0xffff_0000)
    expect(dhcp.optionU32(ack.options, 51)).toBe(600)
  })
  it('get their information option back, byte for byte and last (RFC 3046 §2.2)', () => {
    const agent = Uint8Array.of(1, 4, 101, 116, 104, 48, 2, 2, 9, 9)
    const b = new ServerBench(config)
    const a = { giaddr: ip('10.2.0.1'), options: [[82, agent]] as [number, Uint8Array][] }
    for (const m of [b.discover(a)!, b.lease(a), b.give(ask(REQUEST, { ...a, requested: FIRST }))[0]]) {
      expect(m.options.get(82)).toEqual(agent)
      expect([...m.options.keys()].at(-1)).toBe(82)
    }
    expect(b.answers.at(-1)?.type).toBe(NAK)
  })
  it('a client has one address per subnet', () => {
    const b = new ServerBench(config)
    expect([b.lease().yiaddr, b.lease({ giaddr: ip('10.2.0.1') }).yiaddr]).toEqual([FIRST, ip('10.2.5.1')])
    expect(b.server.leases().map((l) => l.state)).toEqual(['bound', 'bound'])
  })
})

describe('reservations', () => {
  const clientId = Uint8Array.of(0, 42)
  const config = serverConfig({
    subnets: [
      subnet({
        reservations: [
          {
            mac: 9,
            address: ip('10.0.0.9'),
            hostname: 'nine',
            leaseTime: 77,
            options: new Map([[6, dhcp.bytesOfU32(6)]]),
          },
          { clientId, address: FIRST },
        ],
      }),
    ],
  })
  it('by MAC address, outside of the ranges, with name, options and time of their own', () => {
    const ack = new ServerBench(config).lease({ mac: 9, parameters: [12, 6, 3] })
    expect(ack.yiaddr).toBe(ip('10.0.0.9'))
    expect(String.fromCharCode(...ack.options.get(12)!)).toBe('nine')
    expect(dhcp.optionU32(ack.options, 6)).toBe(6)
    expect(dhcp.optionU32(ack.options, 51)).toBe(77)
    expect(dhcp.optionU32(ack.options, 3)).toBe(SERVER_ID)
  })
  it('by client identifier, inside of the ranges; nobody else gets the address', () => {
    const b = new ServerBench(config)
    for (let mac = 100; mac < 109; mac++) expect(b.lease({ mac }).yiaddr).not.toBe(FIRST)
    expect(b.discover({ mac: 110 })).toBeUndefined()
    expect(types(b.give(ask(REQUEST, { mac: 110, requested: FIRST, serverId: SERVER_ID })))).toEqual([NAK])
    expect(b.lease({ clientId }).yiaddr).toBe(FIRST)
  })
  it('a client that holds another address when its reservation appears moves at the next renewal', () => {
    const b = new ServerBench(serverConfig({}))
    const { yiaddr } = b.lease({ mac: 9 })
    b.server.reconfigure(b.now, config)
    expect(types(b.give(ask(REQUEST, { mac: 9, ciaddr: yiaddr }), SERVER_ID))).toEqual([NAK])
    expect(b.lease({ mac: 9 }).yiaddr).toBe(ip('10.0.0.9'))
    expect(b.server.leases().filter((l) => l.state === 'bound')).toHaveLength(1)
  })
  it('an INIT-REBOOT for the reserved address is confirmed without a record', () => {
    expect(types(new ServerBench(config).give(ask(REQUEST, { mac: 9, requested: ip('10.0.0.9') })))).toEqual([
      ACK,
    ])
  })
  it('while its address is still leased to another, the client gets one of the pool', () => {
    const b = new ServerBench(serverConfig({ subnets: [subnet()] }))
    b.lease({ mac: 50 })
    b.server.reconfigure(b.now, config)
    const { yiaddr } = b.lease({ clientId })
    expect(yiaddr).toBe(FIRST + 1)
    expect(types(b.give(ask(REQUEST, { clientId, ciaddr: yiaddr }), SERVER_ID))).toEqual([ACK])
    expect(types(b.give(ask(REQUEST, { mac: 50, ciaddr: FIRST }), SERVER_ID))).toEqual([NAK])
  })
})

describe('several pools', () => {
  it('are used one after the other, without the excluded addresses', () => {
    const ranges = [
      { first: ip('10.0.0.250'), last: ip('10.0.0.255') },
      { first: ip('10.0.0.0'), last: ip('10.0.0.2') },
    ]
    const b = new ServerBench(
      serverConfig({ subnets: [subnet({ ranges, exclude: [SERVER_ID, ip('10.0.0.251')] })] }),
    )
    const got = [1, 2, 3, 4, 5].map((mac) => b.lease({ mac }).yiaddr & 255)
    expect(got).toEqual([250, 252, 253, 1, 2])
    expect(b.discover({ mac: 6 })).toBeUndefined()
  })
})

describe('exhaustion', () => {
  it('is reported once, not per packet, and again only after a quiet minute', () => {
    const b = new ServerBench(
      serverConfig({ subnets: [subnet({ leaseTime: 60, ranges: [{ first: FIRST, last: FIRST }] })] }),
    )
    b.lease()
    for (let mac = 2; mac < 500; mac++) b.give(ask(DISCOVER, { mac }))
    expect(b.events).toEqual([{ type: 'pool-exhausted', subnet: ip('10.0.0.0'), prefixLength: 24 }])
    expect(b.server.counters.refused).toBe(498)
    b.pass(70_000)
    b.lease({ mac: 600 })
    b.give(ask(DISCOVER, { mac: 601 }))
    expect(b.events).toHaveLength(2)
  })
  it('an offer that nobody takes up gives way after a second', () => {
    const b = new ServerBench(
      serverConfig({ probe: false, subnets: [subnet({ ranges: [{ first: FIRST, last: FIRST }] })] }),
    )
    expect(b.give(ask(DISCOVER, { mac: 1 }))).toHaveLength(1)
    expect(b.give(ask(DISCOVER, { mac: 2 }))).toHaveLength(0)
    b.pass(1000)
    expect(b.give(ask(DISCOVER, { mac: 2 }))).toHaveLength(1)
    expect(types(b.give(ask(REQUEST, { mac: 1, requested: FIRST, serverId: SERVER_ID })))).toEqual([NAK])
  })
})

describe('durability', () => {
  it('no DHCPACK leaves before its lease is committed', () => {
    const b = new ServerBench()
    b.discover()
    b.autoCommit = false
    const request = ask(REQUEST, { requested: FIRST, serverId: SERVER_ID })
    expect(b.give(request)).toEqual([])
    expect(b.server.leases()).toEqual([])
    b.pass(60_000)
    expect(b.answers).toHaveLength(1)
    b.commitOne()
    expect(types(b.answers)).toEqual([dhcp.OFFER, ACK])
  })
  it('a retransmitted request makes no second commit, another exchange does, and one ACK comes for it', () => {
    const b = new ServerBench()
    b.discover()
    b.autoCommit = false
    b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID }))
    b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID }))
    expect(b.uncommitted).toHaveLength(1)
    b.give(ask(REQUEST, { xid: 5, requested: FIRST, serverId: SERVER_ID }))
    expect(b.uncommitted).toHaveLength(2)
    b.autoCommit = true
    b.settle()
    expect(b.answers.filter((a) => a.type === ACK).map((a) => a.xid)).toEqual([5])
  })
  it('a failed commit sends nothing, frees the address, and the next request succeeds', () => {
    const b = new ServerBench()
    b.discover()
    b.autoCommit = false
    b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID }))
    b.server.commitFailed(b.uncommitted.shift()!.token)
    expect(b.server.leases()).toEqual([])
    b.autoCommit = true
    expect(types(b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID })))).toEqual([ACK])
  })
  it('a failed commit of a renewal leaves the lease as it was', () => {
    const b = new ServerBench()
    b.lease()
    const [{ expires }] = b.server.leases()
    b.pass(1000)
    b.autoCommit = false
    b.give(ask(REQUEST, { ciaddr: FIRST }), SERVER_ID)
    b.server.commitFailed(b.uncommitted.shift()!.token)
    expect(b.server.leases()).toMatchObject([{ expires, state: 'bound' }])
  })
  it('commits on their way are bounded, also for one client with ever new exchanges', () => {
    const b = new ServerBench()
    b.discover()
    b.autoCommit = false
    for (let xid = 0; xid < MAX_PENDING + 100; xid++)
      b.give(ask(REQUEST, { xid, requested: FIRST, serverId: SERVER_ID }))
    expect(b.uncommitted).toHaveLength(MAX_PENDING)
    expect(b.server.counters.busy).toBe(100)
    b.autoCommit = true
    b.settle()
    expect(b.answers.filter((a) => a.type === ACK).map((a) => a.xid)).toEqual([MAX_PENDING - 1])
    expect(types(b.give(ask(REQUEST, { ciaddr: FIRST }), SERVER_ID))).toEqual([ACK])
  })
  it('a restart with the journal knows every lease; the client gets its address and NAKs stay right', () => {
    const before = new ServerBench()
    for (let mac = 1; mac <= 5; mac++) before.lease({ mac })
    before.give(ask(RELEASE, { mac: 2, ciaddr: FIRST + 1, serverId: SERVER_ID }), SERVER_ID)
    before.give(ask(dhcp.DECLINE, { mac: 3, requested: FIRST + 2, serverId: SERVER_ID }))
    const after = new ServerBench(serverConfig(), before.journal)
    expect(
      after.server
        .leases()
        .sort((a, b) => a.address - b.address)
        .map((l) => [l.address - FIRST, l.state]),
    ).toEqual([
      [0, 'bound'],
      [1, 'released'],
      [2, 'declined'],
      [3, 'bound'],
      [4, 'bound'],
    ])
    expect(types(after.give(ask(REQUEST, { mac: 1, ciaddr: FIRST }), SERVER_ID))).toEqual([ACK])
    expect(types(after.give(ask(REQUEST, { mac: 1, requested: FIRST + 3 })))).toEqual([NAK])
    expect(after.discover({ mac: 2 })?.yiaddr).toBe(FIRST + 1)
    expect(after.discover({ mac: 77 })?.yiaddr).toBe(FIRST + 5)
    expect([...after.server.records(after.now)]).toHaveLength(5)
  })
  it('keeps running leases of a subnet that is not configured for the moment', () => {
    const b = new ServerBench()
    b.lease()
    const elsewhere = serverConfig({
      serverId: ip('10.9.0.1'),
      subnets: [subnet({ address: ip('10.9.0.0'), ranges: [] })],
    })
    b.server.reconfigure(b.now, elsewhere)
    expect(b.server.leases()).toEqual([])
    b.server.reconfigure(b.now, serverConfig())
    expect(b.server.leases()).toMatchObject([{ address: FIRST, state: 'bound', mac: MAC }])
  })
})

describe('checkDhcpServerConfig', () => {
  it('finds every problem at once and names its place', () => {
    const config = serverConfig({
      subnets: [
        subnet({
          ranges: [
            { first: ip('10.0.0.20'), last: ip('10.0.0.10') },
            { first: ip('10.0.1.1'), last: ip('10.0.1.2') },
            { first: ip('10.0.0.5'), last: ip('10.0.0.15') },
          ],
          leaseTime: 0,
          reservations: [{}, { mac: 1, address: ip('10.1.1.1') }, { mac: 1, address: ip('10.0.0.255') }],
        }),
        subnet({ address: ip('10.0.0.128'), prefixLength: 25, ranges: [] }),
      ],
    })
    const found = checkDhcpServerConfig(config).map((p) => `${p.path} ${p.code}`)
    expect(found).toEqual(
      expect.arrayContaining([
        'subnets[0].ranges[0] RANGE_REVERSED',
        'subnets[0].ranges[1] RANGE_OUTSIDE_SUBNET',
        'subnets[0].leaseTime BAD_LEASE_TIME',
        'subnets[0].reservations[0] RESERVATION_WITHOUT_CLIENT',
        'subnets[0].reservations[1].address RESERVATION_OUTSIDE_SUBNET',
        'subnets[0].reservations[2] DUPLICATE_RESERVATION',
        'subnets[0].reservations[2].address RESERVATION_ADDRESS_UNUSABLE',
        'subnets[1] SUBNETS_OVERLAP',
      ]),
    )
    expect(checkDhcpServerConfig(serverConfig())).toEqual([])
    expect(checkDhcpServerConfig(serverConfig({ serverId: 1 })).map((p) => p.code)).toEqual([
      'NO_LOCAL_SUBNET',
    ])
  })
})
