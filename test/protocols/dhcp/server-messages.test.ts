import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { BROADCAST as BROADCAST_MAC } from '../../../protocols/wire/ethernet.ts'
import { ALL, ask, ip, MAC, SERVER_ID, ServerBench, serverConfig, subnet } from '../../support/dhcp.ts'

const FIRST = ip('10.0.0.151')
const { DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM } = dhcp
const types = (answers: { type: number }[]) => answers.map((a) => a.type)
const u32 = (options: dhcp.Options, code: number) => dhcp.optionU32(options, code)

describe('RFC 2131 §4.3.1 DHCPDISCOVER', () => {
  it('offers an address of the pool after a probe has stayed unanswered', () => {
    const b = new ServerBench()
    expect(b.give(ask(DISCOVER))).toEqual([])
    expect(b.probes).toEqual([FIRST])
    expect(b.pass(499)).toEqual([])
    expect(types(b.pass(1))).toEqual([OFFER])
    expect(b.answers[0].yiaddr).toBe(FIRST)
  })

  it('chooses another address when the probe is answered, sets that one aside and says so', () => {
    const b = new ServerBench()
    b.inUse.add(FIRST)
    expect(b.discover()?.yiaddr).toBe(FIRST + 1)
    expect(b.events).toEqual([{ type: 'address-in-use', address: FIRST, seenBy: 'probe' }])
    expect(b.journal).toMatchObject([{ address: FIRST, state: 'declined' }])
    expect(b.discover({ mac: 2, requested: FIRST })?.yiaddr).toBe(FIRST + 2)
  })

  it('probes an address before its first offer only', () => {
    const b = new ServerBench()
    b.discover()
    b.give(ask(DISCOVER, { xid: 9 }))
    expect(b.answers.map((a) => a.xid)).toEqual([0x1234_5678, 9])
    b.lease()
    const again = b.give(ask(DISCOVER))
    expect(types(again)).toEqual([OFFER])
  })

  it('withdraws an offer when the answer to its probe comes late', () => {
    const b = new ServerBench()
    b.discover()
    b.server.probeResult(b.now, FIRST, true)
    expect(types(b.give(ask(REQUEST, { requested: FIRST, serverId: SERVER_ID })))).toEqual([NAK])
    expect(b.discover()?.yiaddr).toBe(FIRST + 1)
    b.lease()
    b.server.probeResult(b.now, FIRST + 1, true)
    expect(b.server.leases().at(-1)).toMatchObject({ address: FIRST + 1, state: 'bound' })
  })

  it('answers the latest of several DHCPDISCOVERs that came during the probe, once', () => {
    const b = new ServerBench()
    b.give(ask(DISCOVER, { xid: 1 }))
    b.give(ask(DISCOVER, { xid: 2 }))
    expect(b.pass(1000).map((a) => a.xid)).toEqual([2])
  })

  it('prefers 1. the current binding', () => {
    const b = new ServerBench()
    const { yiaddr } = b.lease()
    expect(b.discover({ requested: yiaddr + 3 })?.yiaddr).toBe(yiaddr)
  })

  it('prefers 2. the previous address, expired or released, if it is free', () => {
    const b = new ServerBench()
    b.lease({ mac: 9 })
    const { yiaddr } = b.lease()
    b.pass(86_400_001)
    expect(b.server.leases().map((l) => l.state)).toEqual(['expired', 'expired'])
    expect(b.discover()?.yiaddr).toBe(yiaddr)
    b.lease()
    b.give(ask(RELEASE, { ciaddr: yiaddr, serverId: SERVER_ID }), SERVER_ID)
    expect(b.discover({ mac: 7 })?.yiaddr).not.toBe(yiaddr)
    expect(b.discover()?.yiaddr).toBe(yiaddr)
  })

  it('prefers 3. the requested address if it is valid and free', () => {
    const b = new ServerBench()
    expect(b.discover({ requested: FIRST + 5 })?.yiaddr).toBe(FIRST + 5)
    expect(b.discover({ mac: 2, requested: FIRST + 5 })?.yiaddr).toBe(FIRST)
    expect(b.discover({ mac: 3, requested: ip('10.0.0.20') })?.yiaddr).toBe(FIRST + 1)
    expect(b.discover({ mac: 4, requested: ip('192.0.2.1') })?.yiaddr).toBe(FIRST + 2)
  })

  it('prefers 4. an unused address, then the one whose lease ended first', () => {
    const b = new ServerBench()
    for (let mac = 1; mac <= 10; mac++) {
      b.lease({ mac })
      b.pass(1000)
    }
    expect(b.discover({ mac: 99 })).toBeUndefined()
    b.pass(86_400_000)
    expect(b.discover({ mac: 99 })?.yiaddr).toBe(FIRST)
    expect(b.discover({ mac: 98 })?.yiaddr).toBe(FIRST + 1)
    expect(b.discover({ mac: 2 })?.yiaddr).toBe(FIRST + 2)
  })

  it('gives the configured time, or the requested one within bounds', () => {
    const b = new ServerBench(
      serverConfig({ subnets: [subnet({ minLeaseTime: 300, maxLeaseTime: 100_000 })] }),
    )
    const time = (seconds?: number) =>
      u32(
        b.discover({
          options: seconds === undefined ? [] : [[dhcp.OPT_LEASE_TIME, dhcp.bytesOfU32(seconds)]],
        })!.options,
        dhcp.OPT_LEASE_TIME,
      )
    expect(time()).toBe(86_400)
    expect(time(1000)).toBe(1000)
    expect(time(1)).toBe(300)
    expect(time(0xffff_ffff)).toBe(100_000)
  })

  it('leaves the address free again when the offer is not taken up', () => {
    const b = new ServerBench()
    b.discover()
    expect(b.server.leases()).toMatchObject([{ address: FIRST, mac: MAC, state: 'offered' }])
    b.pass(30_000)
    expect(b.server.leases()).toEqual([])
    expect(b.discover({ mac: 2 })?.yiaddr).toBe(FIRST)
  })
})

describe('RFC 2131 table 3: fields of replies', () => {
  it('DHCPOFFER and DHCPACK', () => {
    const b = new ServerBench(
      serverConfig({
        subnets: [subnet({ nextServer: ip('10.0.0.5'), serverName: 'boot', bootFile: 'x.0' })],
      }),
    )
    const offer = b.discover({ xid: 77, broadcast: true })!
    expect(offer).toMatchObject({
      op: 2,
      htype: 1,
      hops: 0,
      xid: 77,
      secs: 0,
      ciaddr: 0,
      yiaddr: FIRST,
      siaddr: ip('10.0.0.5'),
      broadcast: true,
      giaddr: 0,
    })
    expect(String.fromCharCode(...offer.sname)).toBe('boot')
    expect(String.fromCharCode(...offer.file)).toBe('x.0')
    expect(u32(offer.options, dhcp.OPT_SERVER_ID)).toBe(SERVER_ID)
    expect(u32(offer.options, dhcp.OPT_LEASE_TIME)).toBe(86_400)
    expect(u32(offer.options, dhcp.OPT_RENEWAL_TIME)).toBe(43_200)
    expect(u32(offer.options, dhcp.OPT_REBINDING_TIME)).toBe(75_600)
    expect(u32(offer.options, dhcp.OPT_SUBNET_MASK)).toBe(0xffff_ff00)
    for (const code of [50, 55, 57]) expect(offer.options.has(code)).toBe(false)
    const ack = b.lease({ xid: 78 })
    expect(ack).toMatchObject({ type: ACK, xid: 78, ciaddr: 0, yiaddr: FIRST })
    const renewed = b.give(ask(REQUEST, { ciaddr: FIRST }), SERVER_ID)[0]
    expect(renewed).toMatchObject({ type: ACK, ciaddr: FIRST, yiaddr: FIRST })
  })

  it('DHCPNAK carries no address, no time and no parameters', () => {
    const b = new ServerBench()
    const [nak] = b.give(ask(REQUEST, { requested: ip('192.0.2.9'), parameters: [1, 3, 51] }))
    expect(nak).toMatchObject({ type: NAK, ciaddr: 0, yiaddr: 0, siaddr: 0 })
    expect([...nak.options.keys()].sort((x, y) => x - y)).toEqual([53, 54, 56])
  })

  it('a lease without end has no T1 and T2', () => {
    const b = new ServerBench(serverConfig({ subnets: [subnet({ leaseTime: 0xffff_ffff })] }))
    const ack = b.lease()
    expect(u32(ack.options, 51)).toBe(0xffff_ffff)
    expect(ack.options.has(58) || ack.options.has(59)).toBe(false)
    b.pass(1e12)
    expect(b.server.leases()).toMatchObject([{ state: 'bound', expires: Number.POSITIVE_INFINITY }])
  })
})

describe('RFC 2131 §4.3.1 parameters', () => {
  const options: dhcp.Options = new Map([
    [3, dhcp.bytesOfU32(SERVER_ID)],
    [6, dhcp.bytesOfU32(1)],
    [15, Uint8Array.of(97)],
    [42, dhcp.bytesOfU32(2)],
  ])
  const b = () => new ServerBench(serverConfig({ subnets: [subnet({ options })] }))

  it('come in the order of the parameter request list, and only those asked for', () => {
    const offer = b().discover({ parameters: [42, 15, 1, 3, 28, 119] })!
    expect([...offer.options.keys()]).toEqual([53, 54, 51, 42, 15, 1, 3, 28, 58, 59])
    expect(u32(offer.options, 28)).toBe(ip('10.0.0.255'))
  })

  it('have the subnet mask before the router (RFC 2132 §3.3)', () => {
    const order = [
      ...b()
        .discover({ parameters: [6, 3, 1] })!
        .options.keys(),
    ]
    expect(order.filter((c) => [1, 3, 6].includes(c))).toEqual([6, 1, 3])
  })

  it('all come when the client lists none', () => {
    expect([...b().discover()!.options.keys()]).toEqual([53, 54, 51, 1, 3, 6, 15, 42, 58, 59])
  })

  it('are those for this client, whatever others have asked for before', () => {
    const list = fc.option(fc.subarray([1, 3, 6, 12, 15, 28, 42, 61, 82, 119]), { nil: undefined })
    const bytes = fc.option(fc.uint8Array({ minLength: 2, maxLength: 9 }), { nil: undefined })
    const question = fc.record({
      parameters: list,
      clientId: bytes,
      agent: bytes,
      time: fc.constantFrom(0, 600),
    })
    const subnets = [subnet({ options }), subnet({ options: new Map([...options, [61, Uint8Array.of(9)]]) })]
    fc.assert(
      fc.property(
        fc.array(question, { maxLength: 8 }),
        fc.constantFrom(...subnets),
        (questions, { ...net }) => {
          const busy = new ServerBench(serverConfig({ subnets: [net], probe: false }))
          questions.forEach(({ parameters, clientId, agent, time }, mac) => {
            const more: [number, Uint8Array][] = []
            if (agent !== undefined) more.push([dhcp.OPT_RELAY_AGENT, agent])
            if (time > 0) more.push([dhcp.OPT_LEASE_TIME, dhcp.bytesOfU32(time)])
            const asked = {
              mac,
              ...(parameters && { parameters }),
              ...(clientId && { clientId }),
              options: more,
            }
            const fresh = new ServerBench(serverConfig({ subnets: [{ ...net }], probe: false }))
            const told = busy.give(ask(DISCOVER, asked)).map((a) => [...a.options])
            expect(told).toEqual(fresh.give(ask(DISCOVER, asked)).map((a) => [...a.options]))
          })
        },
      ),
    )
  })

  it('stay within the maximum message size, spilling over into file and sname', () => {
    const big: dhcp.Options = new Map([
      [224, new Uint8Array(250)],
      [225, new Uint8Array(120)],
      [226, new Uint8Array(300)],
    ])
    const bench = new ServerBench(serverConfig({ subnets: [subnet({ options: big })] }))
    const small = bench.discover()!
    expect(small.reply.payload.length).toBeLessThanOrEqual(548)
    expect(small.options.has(225)).toBe(true)
    expect(small.options.has(226)).toBe(false)
    const large = bench.discover({ options: [[dhcp.OPT_MAX_MESSAGE_SIZE, Uint8Array.of(5, 220)]] })!
    expect(large.options.has(226)).toBe(true)
    expect(large.reply.payload.length).toBeLessThanOrEqual(1472)
  })

  it('ignore a maximum message size below the least allowed', () => {
    const offer = b().discover({ options: [[dhcp.OPT_MAX_MESSAGE_SIZE, Uint8Array.of(0, 1)]] })!
    expect(offer.options.has(42)).toBe(true)
  })
})

describe('RFC 2131 §4.1 where replies go', () => {
  it('to yiaddr at the hardware address when the client takes unicast', () => {
    expect(new ServerBench().discover()!.reply).toMatchObject({
      srcIp: SERVER_ID,
      destIp: FIRST,
      destMac: MAC,
      destPort: 68,
    })
  })
  it('broadcast when the broadcast bit is set', () => {
    expect(new ServerBench().discover({ broadcast: true })!.reply).toMatchObject({
      destIp: ALL,
      destMac: BROADCAST_MAC,
      destPort: 68,
    })
  })
  it('to ciaddr when that is filled in, whatever the broadcast bit', () => {
    const b = new ServerBench()
    b.lease()
    const [ack] = b.give(ask(REQUEST, { ciaddr: FIRST, broadcast: true }), SERVER_ID)
    expect(ack.reply).toMatchObject({ destIp: FIRST, destMac: undefined, destPort: 68 })
  })
  it('to the relay agent, port 67, when giaddr is filled in', () => {
    const b = new ServerBench()
    const giaddr = ip('10.0.0.2')
    expect(b.discover({ giaddr, broadcast: true })).toMatchObject({ giaddr, broadcast: true })
    expect(b.answers[0].reply).toMatchObject({ destIp: giaddr, destMac: undefined, destPort: 67 })
  })
  it('DHCPNAK broadcast, also to a client that unicast its request', () => {
    const b = new ServerBench()
    b.lease()
    const [nak] = b.give(ask(REQUEST, { ciaddr: FIRST + 1 }), SERVER_ID)
    expect(nak).toMatchObject({ type: NAK })
    expect(nak.reply).toMatchObject({ destIp: ALL, destMac: BROADCAST_MAC })
  })
  it('DHCPNAK to the relay agent with the broadcast bit set (§4.3.2)', () => {
    const giaddr = ip('10.0.0.2')
    const [nak] = new ServerBench().give(ask(REQUEST, { requested: ip('192.0.2.9'), giaddr }))
    expect(nak).toMatchObject({ type: NAK, broadcast: true, giaddr })
    expect(nak.reply).toMatchObject({ destIp: giaddr, destPort: 67 })
  })
})

describe('RFC 2131 §4.3.3 DHCPDECLINE', () => {
  it('sets the address aside, tells the operator, and returns it after the quarantine', () => {
    const b = new ServerBench()
    b.lease()
    b.give(ask(DECLINE, { requested: FIRST, serverId: SERVER_ID }))
    expect(b.events).toEqual([{ type: 'address-in-use', address: FIRST, seenBy: 'client' }])
    expect(b.discover()?.yiaddr).toBe(FIRST + 1)
    expect(b.discover({ mac: 2, requested: FIRST })?.yiaddr).toBe(FIRST + 2)
    b.pass(3_600_000)
    expect(b.discover({ mac: 3, requested: FIRST })?.yiaddr).toBe(FIRST)
  })
  it('is ignored for another server, or from one who does not have the address', () => {
    const b = new ServerBench()
    b.lease()
    b.give(ask(DECLINE, { requested: FIRST, serverId: ip('10.0.0.253') }))
    b.give(ask(DECLINE, { requested: FIRST }))
    b.give(ask(DECLINE, { mac: 2, requested: FIRST, serverId: SERVER_ID }))
    expect(b.server.leases()).toMatchObject([{ state: 'bound' }])
  })
})

describe('RFC 2131 §4.3.4 DHCPRELEASE', () => {
  it('frees the address, without an answer, and keeps it for the return of its client', () => {
    const b = new ServerBench()
    b.lease()
    expect(b.give(ask(RELEASE, { ciaddr: FIRST, serverId: SERVER_ID }), SERVER_ID)).toEqual([])
    expect(b.server.leases()).toMatchObject([{ state: 'released' }])
    expect(b.journal.at(-1)).toMatchObject({ address: FIRST, state: 'released' })
    expect(b.lease().yiaddr).toBe(FIRST)
  })
  it('is ignored for another server or from another client', () => {
    const b = new ServerBench()
    b.lease()
    b.give(ask(RELEASE, { ciaddr: FIRST, serverId: ip('10.0.0.253') }), SERVER_ID)
    b.give(ask(RELEASE, { mac: 2, ciaddr: FIRST, serverId: SERVER_ID }), SERVER_ID)
    expect(b.server.leases()).toMatchObject([{ state: 'bound' }])
  })
})

describe('RFC 2131 §4.3.5 DHCPINFORM', () => {
  it('gets parameters to ciaddr, no address, no times, and makes no lease', () => {
    const b = new ServerBench()
    const [ack] = b.give(ask(INFORM, { ciaddr: ip('10.0.0.33'), parameters: [51, 3, 58] }), SERVER_ID)
    expect(ack).toMatchObject({ type: ACK, yiaddr: 0, ciaddr: ip('10.0.0.33') })
    expect([...ack.options.keys()]).toEqual([53, 54, 1, 3])
    expect(ack.reply).toMatchObject({ destIp: ip('10.0.0.33'), destPort: 68 })
    expect(b.server.leases()).toEqual([])
  })
  it('without ciaddr is answered to where it came from', () => {
    const [ack] = new ServerBench().give(ask(INFORM), ALL, ip('10.0.0.34'))
    expect(ack.reply.destIp).toBe(ip('10.0.0.34'))
  })
})

describe('what the server does not answer', () => {
  it('replies, BOOTP without a type, messages of servers, clients without identity, unknown relay agents', () => {
    const b = new ServerBench()
    expect(b.give({ ...ask(DISCOVER), op: 2 })).toEqual([])
    const bootp = ask(DISCOVER)
    bootp.options.delete(dhcp.OPT_MESSAGE_TYPE)
    expect(b.give(bootp)).toEqual([])
    for (const type of [0, OFFER, ACK, NAK, 9, 255]) expect(b.give(ask(type))).toEqual([])
    expect(b.give({ ...ask(DISCOVER), chaddr: new Uint8Array(0) })).toEqual([])
    for (let i = 0; i < 5; i++) expect(b.give(ask(DISCOVER, { giaddr: ip('172.16.0.1') }))).toEqual([])
    expect(b.events).toEqual([{ type: 'no-subnet', giaddr: ip('172.16.0.1') }])
    b.pass(10_000)
    expect(b.answers).toEqual([])
  })
})
