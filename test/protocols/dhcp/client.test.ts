import { describe, expect, it } from 'vitest'
import { DhcpClient, type DhcpClientConfig } from '../../../protocols/dhcp/client.ts'
import { type ClientLease, leaseOf, parseRoutes } from '../../../protocols/dhcp/client-lease.ts'
import { seededRandom } from '../../../protocols/random.ts'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { ask, ip, MAC, SERVER_ID } from '../../support/dhcp.ts'

const ADDRESS = ip('10.0.0.151')

class ClientBench {
  now = 0
  readonly sent: { at: number; to: number | 'broadcast'; type: number; message: dhcp.Repr }[] = []
  readonly applied: (ClientLease | undefined)[] = []
  readonly client: DhcpClient

  constructor(config: Partial<DhcpClientConfig> = {}) {
    this.client = new DhcpClient(
      { mac: MAC, ...config },
      {
        send: (payload, to) => {
          const message = dhcp.parse(payload, 0, payload.length)!
          this.sent.push({ at: this.now, to, type: dhcp.optionU8(message.options, 53)!, message })
        },
        configured: (lease) => this.applied.push(lease),
        lost: () => this.applied.push(undefined),
      },
      seededRandom(5),
    )
  }

  pass(ms: number): void {
    const until = this.now + ms
    for (let at = this.client.pollAt(); at !== undefined && at <= until; at = this.client.pollAt()) {
      this.now = Math.max(at, this.now)
      this.client.poll(this.now)
    }
    this.now = until
  }

  get last(): dhcp.Repr {
    return this.sent.at(-1)!.message
  }

  /** A server's reply to the last message, with changes. */
  reply(type: number, over: Partial<dhcp.Repr> = {}, options: [number, Uint8Array | undefined][] = []): void {
    const message = { ...ask(type, { xid: this.last.xid, serverId: SERVER_ID }), op: dhcp.BOOTREPLY }
    if (type !== dhcp.NAK) {
      message.yiaddr = ADDRESS
      message.options.set(1, dhcp.bytesOfU32(0xffff_ff00))
      message.options.set(51, dhcp.bytesOfU32(1000))
    }
    for (const [code, data] of options) {
      if (data === undefined) message.options.delete(code)
      else message.options.set(code, data)
    }
    this.client.receive(this.now, dhcp.emit({ ...message, ...over }))
  }

  bind(): void {
    this.client.start(this.now)
    this.pass(0)
    this.reply(dhcp.OFFER)
    this.reply(dhcp.ACK)
  }
}

const { DISCOVER, OFFER, REQUEST, ACK, NAK, DECLINE, RELEASE } = dhcp

describe('RFC 2131 §4.1 and §4.4.1: looking for a server', () => {
  it('repeats DHCPDISCOVER after 4, 8, 16, 32, 64, 64 s, each give or take one', () => {
    const b = new ClientBench()
    b.client.start(0)
    b.pass(300_000)
    const times = b.sent.map((s) => s.at)
    const gaps = times.slice(1).map((t, i) => t - times[i])
    for (const [i, wanted] of [4, 8, 16, 32, 64, 64].entries()) {
      expect(Math.abs(gaps[i] - wanted * 1000)).toBeLessThanOrEqual(1000)
    }
    expect(new Set(b.sent.map((s) => s.message.xid)).size).toBe(1)
    expect(b.sent.every((s) => s.type === DISCOVER && s.to === 'broadcast' && s.message.broadcast)).toBe(true)
    expect(b.last.secs).toBe(Math.floor(times.at(-1)! / 1000))
  })

  it('requests what was offered: server identifier, requested address, ciaddr zero (table 5)', () => {
    const b = new ClientBench({ hostname: 'vm2', clientId: Uint8Array.of(0, 9), leaseTime: 50 })
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER)
    expect(b.sent.at(-1)).toMatchObject({ type: REQUEST, to: 'broadcast' })
    expect(b.last.ciaddr).toBe(0)
    expect(dhcp.optionU32(b.last.options, 50)).toBe(ADDRESS)
    expect(dhcp.optionU32(b.last.options, 54)).toBe(SERVER_ID)
    expect(dhcp.optionU32(b.last.options, 51)).toBe(50)
    expect(b.last.options.get(61)).toEqual(Uint8Array.of(0, 9))
    expect(String.fromCharCode(...b.last.options.get(12)!)).toBe('vm2')
    const parameters = [...b.last.options.get(55)!]
    expect(parameters.indexOf(121)).toBeLessThan(parameters.indexOf(3))
  })

  it('ignores offers that are not for it or lack what they must have', () => {
    const b = new ClientBench({ clientId: Uint8Array.of(0, 9) })
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER, { xid: 1 })
    b.reply(OFFER, { chaddr: Uint8Array.of(2, 2, 2, 2, 2, 2) })
    b.reply(OFFER, { op: 1 })
    b.reply(OFFER, { yiaddr: 0 })
    b.reply(OFFER, {}, [[54, undefined]])
    b.reply(OFFER, {}, [[51, undefined]])
    b.reply(OFFER, {}, [[61, Uint8Array.of(0, 8)]])
    b.reply(ACK)
    b.reply(NAK)
    expect(b.client.state).toBe('selecting')
    b.reply(OFFER, {}, [[61, Uint8Array.of(0, 9)]])
    expect(b.client.state).toBe('requesting')
  })

  it('starts over when four requests stay unanswered', () => {
    const b = new ClientBench()
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER)
    b.pass(65_000)
    expect(b.sent.map((s) => s.type).slice(0, 6)).toEqual([
      DISCOVER,
      REQUEST,
      REQUEST,
      REQUEST,
      REQUEST,
      DISCOVER,
    ])
    expect(b.client.state).toBe('selecting')
  })

  it('takes no ACK from another server or for another address, and no NAK from another server', () => {
    const b = new ClientBench()
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER)
    b.reply(ACK, {}, [[54, dhcp.bytesOfU32(7)]])
    b.reply(ACK, { yiaddr: ADDRESS + 1 })
    b.reply(NAK, {}, [[54, dhcp.bytesOfU32(7)]])
    expect(b.client.state).toBe('requesting')
    b.reply(NAK)
    b.pass(1000)
    expect(b.client.state).toBe('selecting')
    expect(b.applied).toEqual([])
  })
})

describe('RFC 2131 §4.4.5: keeping the lease', () => {
  it('T1: unicast to the server with ciaddr, without server id and requested address', () => {
    const b = new ClientBench()
    b.bind()
    b.pass(499_999)
    expect(b.client.state).toBe('bound')
    b.pass(1)
    expect(b.sent.at(-1)).toMatchObject({ type: REQUEST, to: SERVER_ID })
    expect(b.last.ciaddr).toBe(ADDRESS)
    expect(b.last.options.has(50) || b.last.options.has(54)).toBe(false)
  })

  it('repeats after half of the time left, at least 60 s; T2: broadcast; then the end', () => {
    const b = new ClientBench()
    b.bind()
    b.pass(999_999)
    const rest = b.sent.slice(2).map((s) => [s.at / 1000, s.to === 'broadcast' ? 'rebind' : 'renew'])
    expect(rest).toEqual([
      [500, 'renew'],
      [687.5, 'renew'],
      [781.25, 'renew'],
      [841.25, 'renew'],
      [875, 'rebind'],
      [937.5, 'rebind'],
      [997.5, 'rebind'],
    ])
    expect(b.applied).toHaveLength(1)
    b.pass(1)
    expect(b.applied.at(-1)).toBeUndefined()
    expect(b.client.state).toBe('selecting')
  })

  it('counts the lease from when the request was sent, not from the answer', () => {
    const b = new ClientBench()
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER)
    b.pass(3000)
    b.reply(ACK)
    expect(b.client.pollAt()).toBe(500_000)
  })

  it('gives the address up at once on DHCPNAK', () => {
    const b = new ClientBench()
    b.bind()
    b.pass(500_000)
    b.reply(NAK)
    expect(b.applied).toEqual([expect.anything(), undefined])
    b.pass(0)
    expect(b.client.state).toBe('selecting')
  })

  it('keeps a lease without end without a word', () => {
    const b = new ClientBench()
    b.client.start(0)
    b.pass(0)
    b.reply(OFFER)
    b.reply(ACK, {}, [[51, dhcp.bytesOfU32(0xffff_ffff)]])
    expect(b.client.pollAt()).toBeUndefined()
  })

  it('releases by unicast with ciaddr and server id, declines by broadcast with the requested address', () => {
    const b = new ClientBench()
    b.bind()
    b.client.decline(b.now)
    expect(b.sent.at(-1)).toMatchObject({ type: DECLINE, to: 'broadcast' })
    expect([b.last.ciaddr, dhcp.optionU32(b.last.options, 50), dhcp.optionU32(b.last.options, 54)]).toEqual([
      0,
      ADDRESS,
      SERVER_ID,
    ])
    b.pass(10_000)
    b.reply(OFFER)
    b.reply(ACK)
    b.client.release(b.now)
    expect(b.sent.at(-1)).toMatchObject({ type: RELEASE, to: SERVER_ID })
    expect([b.last.ciaddr, dhcp.optionU32(b.last.options, 54)]).toEqual([ADDRESS, SERVER_ID])
    expect(b.client.state).toBe('stopped')
    expect(b.client.pollAt()).toBeUndefined()
  })
})

describe('what a lease says', () => {
  const lease = (options: [number, Uint8Array][], yiaddr = ADDRESS) => {
    const all: [number, Uint8Array][] = [
      [54, dhcp.bytesOfU32(SERVER_ID)],
      [51, dhcp.bytesOfU32(800)],
      ...options,
    ]
    return leaseOf({ ...ask(ACK), yiaddr, options: new Map(all) })!
  }
  it('mask, or the class of the address without a usable one', () => {
    expect(lease([[1, dhcp.bytesOfU32(0xffff_fff0)]]).prefixLength).toBe(28)
    expect(lease([[1, dhcp.bytesOfU32(0xffff_ffff)]]).prefixLength).toBe(32)
    expect(lease([[1, dhcp.bytesOfU32(0xff00_ff00)]]).prefixLength).toBe(8)
    expect(lease([], ip('172.16.0.1')).prefixLength).toBe(16)
    expect(lease([], ip('192.0.2.1')).prefixLength).toBe(24)
  })
  it('T1 and T2 as given if they make sense, else half and seven eighths', () => {
    const times = (t1?: number, t2?: number) => {
      const l = lease([
        ...(t1 === undefined ? [] : [[58, dhcp.bytesOfU32(t1)] as [number, Uint8Array]]),
        ...(t2 === undefined ? [] : [[59, dhcp.bytesOfU32(t2)] as [number, Uint8Array]]),
      ])
      return [l.renewalTime, l.rebindingTime]
    }
    expect(times()).toEqual([400, 700])
    expect(times(10, 20)).toEqual([10, 20])
    expect(times(900, 950)).toEqual([400, 700])
    expect(times(600, 300)).toEqual([300, 300])
  })
  it('classless routes take the place of routers (RFC 3442)', () => {
    const router: [number, Uint8Array] = [3, dhcp.bytesOfU32(SERVER_ID)]
    expect(lease([router]).router).toBe(SERVER_ID)
    const l = lease([router, [121, Uint8Array.of(0, 10, 0, 0, 9, 25, 10, 229, 0, 255, 10, 0, 0, 8)]])
    expect(l.router).toBeUndefined()
    expect(l.routes).toEqual([
      { prefix: 0, prefixLength: 0, via: ip('10.0.0.9') },
      { prefix: ip('10.229.0.128'), prefixLength: 25, via: ip('10.0.0.8') },
    ])
    expect(lease([router, [121, Uint8Array.of(33)]]).router).toBe(SERVER_ID)
    expect(parseRoutes(Uint8Array.of(24, 10, 0, 0, 10, 0, 0))).toBeUndefined()
  })
})

describe('any input', () => {
  it('200,000 mutated replies: no throw, and always a next step or a lease', () => {
    const random = seededRandom(17)
    const b = new ClientBench()
    b.client.start(0)
    b.pass(0)
    for (let i = 0; i < 200_000; i++) {
      const type = [OFFER, ACK, NAK][random() % 3]
      const message = {
        ...ask(type, { xid: b.last.xid, serverId: SERVER_ID }),
        op: 2,
        yiaddr: ADDRESS + (random() % 2),
      }
      message.options.set(51, dhcp.bytesOfU32(random() % 2000))
      message.options.set([1, 3, 58, 59, 119, 121][random() % 6], dhcp.bytesOfU32(random()))
      const payload = dhcp.emit(message)
      for (let k = random() % 3; k > 0; k--) payload[random() % 280] = random()
      b.client.receive(b.now, payload)
      if (random() % 4 === 0) b.pass(random() % 200_000)
      if (b.client.pollAt() === undefined && b.client.lease?.leaseTime !== 0xffff_ffff)
        throw new Error('stuck')
      if (b.sent.length > 10) b.sent.splice(0, b.sent.length - 1)
    }
    expect(b.applied.length).toBeGreaterThan(500)
  })
})
