import { describe, expect, test } from 'vitest'
import {
  ANNOUNCE_INTERVAL,
  ANNOUNCE_WAIT,
  DEFEND_INTERVAL,
  PROBE_MAX,
  PROBE_MIN,
  PROBE_WAIT,
} from '../../../protocols/neighbor/address-claim.ts'
import { MAX_PROBES } from '../../../protocols/neighbor/address-probe.ts'
import {
  ARP_MALFORMED,
  ARP_NOT_OURS,
  ARP_TAKEN,
  type ArpConfig,
  ArpMachine,
  type ArpSink,
  MAX_NEIGHBORS,
} from '../../../protocols/neighbor/arp-machine.ts'
import { REACHABLE, STALE } from '../../../protocols/neighbor/neighbor-table.ts'
import { seededRandom } from '../../../protocols/random.ts'
import * as arp from '../../../protocols/wire/arp.ts'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import { parseIpv4, parsePrefix } from '../../../protocols/wire/ipv4.ts'

const MAC = 0x02_00_00_00_00_fe
const HOST = 0x02_00_00_00_00_01
const ip = (text: string): number => parseIpv4(text)!
const OURS = ip('10.0.0.254')
const PEER = ip('10.0.0.1')

type Sent = arp.Repr & { at: number; dst: number }

class Link implements ArpSink {
  sent: Sent[] = []
  log: string[] = []
  now = 0
  readonly machine: ArpMachine
  constructor(config: Partial<ArpConfig> = {}) {
    this.machine = new ArpMachine(
      { mac: MAC, addresses: [parsePrefix('10.0.0.254/24')!], proxied: () => false, ...config },
      this,
      seededRandom(7),
    )
  }
  send(frame: Uint8Array): void {
    expect(ethernet.type(frame, 0)).toBe(ethernet.TYPE_ARP)
    expect(ethernet.src(frame, 0)).toBe(MAC)
    this.sent.push({ ...arp.parse(frame, 14, frame.length)!, at: this.now, dst: ethernet.dst(frame, 0) })
  }
  resolved(slot: number): void {
    this.log.push(`resolved ${slot}`)
  }
  unresolved(): void {}
  displaced(): void {}
  changed(): void {}
  lastUsed(): number {
    return Number.NEGATIVE_INFINITY
  }
  conflict(address: number, mac: number): void {
    this.log.push(`conflict ${address} ${mac}`)
  }
  probed(address: number, inUse: boolean): void {
    this.log.push(`probed ${address} ${inUse}`)
  }
  receive(r: Partial<arp.Repr>, dst = ethernet.BROADCAST): number {
    const frame = new Uint8Array(60)
    ethernet.emit({ dst, src: r.sha ?? HOST, type: ethernet.TYPE_ARP }, frame, 0)
    arp.emit({ operation: arp.REQUEST, sha: HOST, spa: PEER, tha: 0, tpa: OURS, ...r }, frame, 14)
    return this.machine.receive(this.now, 0, frame)
  }
  run(until: number): void {
    for (let due = this.machine.pollAt(); due !== undefined && due <= until; due = this.machine.pollAt()) {
      this.now = due
      this.machine.poll(due)
    }
    this.now = until
  }
  take(): Sent[] {
    return this.sent.splice(0)
  }
}

describe('RFC 826 packet reception', () => {
  test('a request for our address is answered to its sender, and the sender learned', () => {
    const link = new Link()
    expect(link.receive({})).toBe(ARP_TAKEN)
    expect(link.take()).toEqual([
      { operation: arp.REPLY, sha: MAC, spa: OURS, tha: HOST, tpa: PEER, at: 0, dst: HOST },
    ])
    const slot = link.machine.table.find(PEER)
    expect(link.machine.table.mac(slot)).toBe(HOST)
    expect(link.machine.table.state(slot)).toBe(STALE)
  })

  test('a request for somebody else is not answered and creates nothing', () => {
    const link = new Link()
    expect(link.receive({ tpa: ip('10.0.0.9') })).toBe(ARP_NOT_OURS)
    expect(link.take()).toEqual([])
    expect(link.machine.table.size).toBe(0)
  })

  test('<merge>: any packet brings a known sender up to date', () => {
    const link = new Link()
    link.receive({})
    link.now = 5000
    link.receive({ tpa: ip('10.0.0.9'), sha: HOST + 1 })
    expect(link.machine.table.mac(link.machine.table.find(PEER))).toBe(HOST + 1)
  })

  test('a reply to our request makes the sender reachable', () => {
    const link = new Link()
    const slot = link.machine.table.want(PEER)
    link.machine.table.ask(0, slot)
    expect(link.take()).toEqual([
      { operation: arp.REQUEST, sha: MAC, spa: OURS, tha: 0, tpa: PEER, at: 0, dst: ethernet.BROADCAST },
    ])
    link.receive({ operation: arp.REPLY, tha: MAC }, MAC)
    expect(link.machine.table.state(slot)).toBe(REACHABLE)
    expect(link.log).toEqual([`resolved ${slot}`])
    expect(link.take()).toEqual([])
  })

  test('an unsolicited reply creates nothing', () => {
    const link = new Link()
    link.receive({ operation: arp.REPLY, tha: MAC }, MAC)
    expect(link.machine.table.size).toBe(0)
  })

  test('senders off the subnet, at its ends, and impossible hardware addresses are ignored', () => {
    const link = new Link()
    expect(link.receive({ spa: ip('192.0.2.1') })).toBe(ARP_NOT_OURS)
    expect(link.receive({ spa: ip('10.0.0.255') })).toBe(ARP_NOT_OURS)
    expect(link.receive({ spa: ip('10.0.0.0') })).toBe(ARP_NOT_OURS)
    expect(link.receive({ sha: 0 })).toBe(ARP_MALFORMED)
    expect(link.receive({ sha: ethernet.BROADCAST })).toBe(ARP_MALFORMED)
    expect(link.receive({ sha: 0x01_00_5e_00_00_01 })).toBe(ARP_MALFORMED)
    expect(link.machine.table.size).toBe(0)
    expect(link.take()).toEqual([])
  })

  test('our own packet come back is ignored', () => {
    const link = new Link()
    expect(link.receive({ sha: MAC, spa: OURS, tpa: OURS })).toBe(ARP_NOT_OURS)
    expect(link.log).toEqual([])
  })

  test('a cut frame is malformed', () => {
    const link = new Link()
    expect(link.machine.receive(0, 0, new Uint8Array(41))).toBe(ARP_MALFORMED)
    expect(link.machine.receive(0, 0, new Uint8Array(0))).toBe(ARP_MALFORMED)
  })

  test('every address of the interface is answered for, and asks in its own subnet', () => {
    const link = new Link({ addresses: [parsePrefix('10.0.0.254/24')!, parsePrefix('10.9.0.1/16')!] })
    link.receive({ spa: ip('10.9.7.7'), tpa: ip('10.9.0.1') })
    expect(link.take()[0]).toMatchObject({ operation: arp.REPLY, spa: ip('10.9.0.1') })
    link.machine.table.ask(0, link.machine.table.want(ip('10.9.3.3')))
    expect(link.take()[0]).toMatchObject({ operation: arp.REQUEST, spa: ip('10.9.0.1') })
  })

  test('RFC 1027: proxied addresses are answered for, if they lie in the subnet', () => {
    const link = new Link({ proxied: (a) => a === ip('10.0.0.77') || a === ip('10.1.0.77') })
    link.receive({ tpa: ip('10.0.0.77') })
    expect(link.take()).toMatchObject([{ operation: arp.REPLY, sha: MAC, spa: ip('10.0.0.77') }])
    link.receive({ tpa: ip('10.1.0.77') })
    expect(link.take()).toEqual([])
  })
})

describe('RFC 5227', () => {
  test('§2.1.1, §2.3: three probes 1 to 2 s apart after up to 1 s, then two announcements 2 s apart', () => {
    const link = new Link()
    link.machine.up(0)
    link.run(60_000)
    const [p1, p2, p3, a1, a2, ...more] = link.take()
    expect(more).toEqual([])
    for (const p of [p1, p2, p3]) {
      expect(p).toMatchObject({ operation: arp.REQUEST, spa: 0, tha: 0, tpa: OURS, dst: ethernet.BROADCAST })
    }
    expect(p1.at).toBeLessThanOrEqual(PROBE_WAIT)
    for (const gap of [p2.at - p1.at, p3.at - p2.at]) {
      expect(gap).toBeGreaterThanOrEqual(PROBE_MIN)
      expect(gap).toBeLessThanOrEqual(PROBE_MAX)
    }
    for (const a of [a1, a2]) {
      expect(a).toMatchObject({ operation: arp.REQUEST, spa: OURS, tpa: OURS, dst: ethernet.BROADCAST })
    }
    expect(a1.at - p3.at).toBe(ANNOUNCE_WAIT)
    expect(a2.at - a1.at).toBe(ANNOUNCE_INTERVAL)
  })

  test('§2.1.1: somebody who answers the probe is reported', () => {
    const link = new Link()
    link.machine.up(0)
    link.run(1500)
    link.receive({ operation: arp.REPLY, spa: OURS, tpa: 0 }, MAC)
    expect(link.log).toEqual([`conflict ${OURS} ${HOST}`])
  })

  test('§2.1.1: somebody who probes for it at the same time is reported', () => {
    const link = new Link()
    link.machine.up(0)
    link.receive({ spa: 0, tpa: OURS })
    expect(link.log).toEqual([`conflict ${OURS} ${HOST}`])
  })

  test('§2.5: a probe for an address we hold is answered, and its sender not learned', () => {
    const link = new Link()
    expect(link.receive({ spa: 0 })).toBe(ARP_TAKEN)
    expect(link.take()).toMatchObject([{ operation: arp.REPLY, spa: OURS, tpa: 0, dst: HOST }])
    expect(link.machine.table.size).toBe(0)
    expect(link.log).toEqual([])
  })

  test('§2.4 (c): a conflict is defended by one announcement, not twice within 10 s', () => {
    const link = new Link()
    link.receive({ spa: OURS, tpa: OURS })
    expect(link.take()).toMatchObject([{ operation: arp.REQUEST, spa: OURS, tpa: OURS }])
    link.now = DEFEND_INTERVAL - 1
    link.receive({ spa: OURS, tpa: OURS })
    expect(link.take()).toEqual([])
    link.now = DEFEND_INTERVAL
    link.receive({ spa: OURS, tpa: PEER })
    expect(link.take()).toHaveLength(1)
    expect(link.log).toHaveLength(3)
    expect(link.machine.table.size).toBe(0)
  })

  test('a new address is claimed, one that stays is not claimed again', () => {
    const link = new Link()
    link.machine.up(0)
    link.run(60_000)
    link.take()
    const proxied = () => false
    link.machine.configure(link.now, {
      mac: MAC,
      addresses: [parsePrefix('10.0.0.254/24')!, parsePrefix('10.0.0.253/24')!],
      proxied,
    })
    link.run(120_000)
    expect(new Set(link.take().map((s) => s.tpa))).toEqual(new Set([ip('10.0.0.253')]))
  })

  test('what is down claims nothing', () => {
    const link = new Link()
    link.machine.up(0)
    link.machine.down()
    expect(link.machine.pollAt()).toBeUndefined()
  })
})

describe('probing for somebody else', () => {
  test('an address nobody answers for is free, within half a second', () => {
    const link = new Link()
    expect(link.machine.probe(0, PEER)).toBe(true)
    link.run(500)
    expect(link.take().map((s) => [s.spa, s.tpa, s.dst])).toEqual(
      Array(3).fill([0, PEER, ethernet.BROADCAST]),
    )
    expect(link.log).toEqual([`probed ${PEER} false`])
    expect(link.machine.pollAt()).toBeUndefined()
  })

  test('an answer ends it', () => {
    const link = new Link()
    link.machine.probe(0, PEER)
    link.receive({ operation: arp.REPLY, tpa: 0 }, MAC)
    expect(link.log).toEqual([`probed ${PEER} true`])
    link.run(1000)
    expect(link.take()).toHaveLength(1)
  })

  test('our own address is in use', () => {
    const link = new Link()
    link.machine.probe(0, OURS)
    expect(link.log).toEqual([`probed ${OURS} true`])
  })

  test('too many at once are refused', () => {
    const link = new Link()
    for (let i = 0; i < MAX_PROBES; i++) expect(link.machine.probe(0, 0x0a000100 + i)).toBe(true)
    expect(link.machine.probe(0, PEER)).toBe(false)
  })
})

test('the table is as large as the subnet, up to a bound', () => {
  expect(new Link().machine.table.capacity).toBe(256)
  expect(new Link({ addresses: [parsePrefix('10.0.0.1/8')!] }).machine.table.capacity).toBe(MAX_NEIGHBORS)
  const link = new Link()
  expect(link.machine.fits([parsePrefix('10.0.0.1/25')!])).toBe(true)
  expect(link.machine.fits([parsePrefix('10.0.0.1/16')!])).toBe(false)
})

test('neighbours off the new subnet are forgotten, others stay', () => {
  const link = new Link()
  link.receive({})
  link.receive({ spa: ip('10.0.0.200') })
  const addresses = [parsePrefix('10.0.0.129/25')!]
  link.machine.configure(0, { mac: MAC, addresses, proxied: () => false })
  expect(link.machine.table.find(PEER)).toBe(-1)
  expect(link.machine.table.find(ip('10.0.0.200'))).not.toBe(-1)
})

test('100,000 senders leave the table within its bounds and a poll soon done', () => {
  const link = new Link({ addresses: [parsePrefix('10.0.0.254/8')!] })
  for (let i = 0; i < 100_000; i++) {
    link.now += 0.01
    link.receive({ sha: HOST + i, spa: 0x0a100000 + i, tpa: OURS })
    link.sent.length = 0
  }
  expect(link.sent).toEqual([])
  expect(link.machine.table.size).toBe(MAX_NEIGHBORS)
})
