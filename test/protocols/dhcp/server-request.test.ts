import { describe, expect, it } from 'vitest'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { ALL, ask, ip, SERVER_ID, ServerBench, serverConfig, subnet } from '../../support/dhcp.ts'

const FIRST = ip('10.0.0.151')
const { REQUEST, ACK, NAK } = dhcp
const types = (answers: { type: number }[]) => answers.map((a) => a.type)
const u32 = (options: dhcp.Options, code: number) => dhcp.optionU32(options, code)

describe('RFC 2131 §4.3.2 DHCPREQUEST in SELECTING', () => {
  it('for the offered address: DHCPACK', () => {
    const b = new ServerBench()
    expect(b.lease()).toMatchObject({ type: ACK, yiaddr: FIRST })
  })
  it('for another server: silence, and the offer is withdrawn', () => {
    const b = new ServerBench()
    b.discover()
    expect(b.give(ask(REQUEST, { requested: ip('10.0.0.77'), serverId: ip('10.0.0.253') }))).toEqual([])
    expect(b.server.leases()).toEqual([])
    expect(b.discover({ mac: 2 })?.yiaddr).toBe(FIRST)
  })
  it('for an address that belongs to another: DHCPNAK', () => {
    const b = new ServerBench()
    b.lease()
    expect(types(b.give(ask(REQUEST, { mac: 2, requested: FIRST, serverId: SERVER_ID })))).toEqual([NAK])
  })
  it('for an address offered to another: DHCPNAK', () => {
    const b = new ServerBench()
    b.discover()
    expect(types(b.give(ask(REQUEST, { mac: 2, requested: FIRST, serverId: SERVER_ID })))).toEqual([NAK])
  })
  it('for an address outside the pools: DHCPNAK', () => {
    const b = new ServerBench()
    expect(types(b.give(ask(REQUEST, { requested: ip('10.0.0.20'), serverId: SERVER_ID })))).toEqual([NAK])
    expect(types(b.give(ask(REQUEST, { requested: SERVER_ID, serverId: SERVER_ID })))).toEqual([NAK])
    expect(types(b.give(ask(REQUEST, { requested: ip('10.9.9.9'), serverId: SERVER_ID })))).toEqual([NAK])
  })
  it('after a restart between offer and request: DHCPACK, for the address is free', () => {
    const b = new ServerBench()
    expect(types(b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID })))).toEqual([ACK])
  })
  it('with ciaddr or without a requested address: malformed, no answer', () => {
    const b = new ServerBench()
    b.discover()
    expect(b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID, ciaddr: FIRST }))).toEqual([])
    expect(b.give(ask(REQUEST, { serverId: SERVER_ID }))).toEqual([])
  })
  it('grants the time that was offered when the request does not repeat it', () => {
    const b = new ServerBench()
    b.discover({ options: [[dhcp.OPT_LEASE_TIME, dhcp.bytesOfU32(600)]] })
    const [ack] = b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID }))
    expect(u32(ack.options, 51)).toBe(600)
  })
})

describe('RFC 2131 §4.3.2 DHCPREQUEST in INIT-REBOOT', () => {
  it('for the leased address: DHCPACK', () => {
    const b = new ServerBench()
    b.lease()
    expect(types(b.give(ask(REQUEST, { requested: FIRST })))).toEqual([ACK])
  })
  it('for an address on another network: DHCPNAK, known client or not', () => {
    const b = new ServerBench()
    expect(types(b.give(ask(REQUEST, { requested: ip('192.168.7.7') })))).toEqual([NAK])
  })
  it('behind a relay agent, the network is that of giaddr', () => {
    const far = { address: ip('10.2.0.0'), prefixLength: 16, ranges: [], leaseTime: 60 }
    const b = new ServerBench(serverConfig({ subnets: [subnet(), far] }))
    b.lease()
    expect(types(b.give(ask(REQUEST, { requested: FIRST, giaddr: ip('10.2.0.1') })))).toEqual([NAK])
  })
  it('for another address than the recorded one: DHCPNAK', () => {
    const b = new ServerBench()
    b.lease()
    expect(types(b.give(ask(REQUEST, { requested: FIRST + 4 })))).toEqual([NAK])
  })
  it('from a client without a record: silence', () => {
    const b = new ServerBench()
    expect(b.give(ask(REQUEST, { requested: FIRST }))).toEqual([])
    b.lease()
    expect(b.give(ask(REQUEST, { mac: 2, requested: FIRST }))).toEqual([])
    expect(b.server.counters.silent).toBe(2)
  })
  it('from a client without a record, when configured authoritative: DHCPNAK', () => {
    const b = new ServerBench(serverConfig({ authoritative: true }))
    expect(types(b.give(ask(REQUEST, { requested: FIRST })))).toEqual([NAK])
  })
  it('for the own address after the lease has ended: DHCPACK while nobody else has it, else DHCPNAK', () => {
    const b = new ServerBench(
      serverConfig({ subnets: [subnet({ ranges: [{ first: FIRST, last: FIRST }] })] }),
    )
    b.lease()
    b.pass(86_400_001)
    expect(types(b.give(ask(REQUEST, { requested: FIRST })))).toEqual([ACK])
    b.pass(86_400_001)
    b.discover({ mac: 2 })
    expect(types(b.give(ask(REQUEST, { requested: FIRST })))).toEqual([NAK])
  })
})

describe('RFC 2131 §4.3.2 DHCPREQUEST in RENEWING and REBINDING', () => {
  for (const [state, destination] of [
    ['RENEWING', SERVER_ID],
    ['REBINDING', ALL],
  ] as const) {
    it(`${state}: extends the lease`, () => {
      const b = new ServerBench()
      b.lease()
      b.pass(43_200_000)
      const [ack] = b.give(ask(REQUEST, { ciaddr: FIRST }), destination)
      expect(ack).toMatchObject({ type: ACK, yiaddr: FIRST })
      expect(b.server.leases()).toMatchObject([{ expires: b.now + 86_400_000 }])
    })
    it(`${state}: an address leased to another: DHCPNAK`, () => {
      const b = new ServerBench()
      b.lease()
      expect(types(b.give(ask(REQUEST, { mac: 2, ciaddr: FIRST }), destination))).toEqual([NAK])
    })
    it(`${state}: another address than the recorded one: DHCPNAK`, () => {
      const b = new ServerBench()
      b.lease()
      expect(types(b.give(ask(REQUEST, { ciaddr: FIRST + 1 }), destination))).toEqual([NAK])
    })
    it(`${state}: without any record: silence`, () => {
      const b = new ServerBench()
      expect(b.give(ask(REQUEST, { ciaddr: FIRST }), destination)).toEqual([])
    })
  }
  it('REBINDING on another network: DHCPNAK', () => {
    expect(types(new ServerBench().give(ask(REQUEST, { ciaddr: ip('172.16.0.9') })))).toEqual([NAK])
  })
  it('RENEWING from a subnet behind a relay agent, which unicast passes by', () => {
    const far = {
      address: ip('10.2.0.0'),
      prefixLength: 16,
      ranges: [{ first: ip('10.2.0.10'), last: ip('10.2.0.20') }],
      leaseTime: 600,
    }
    const b = new ServerBench(serverConfig({ subnets: [subnet(), far] }))
    const { yiaddr } = b.lease({ giaddr: ip('10.2.0.1') })
    expect(yiaddr).toBe(ip('10.2.0.10'))
    const [ack] = b.give(ask(REQUEST, { ciaddr: yiaddr }), SERVER_ID)
    expect(ack.reply).toMatchObject({ destIp: yiaddr, destMac: undefined, destPort: 68 })
  })
  it('neither address nor server: malformed, no answer', () => {
    expect(new ServerBench().give(ask(REQUEST))).toEqual([])
  })
})
