/** What the first packet of a connection leaves in the flow cache, and what its last does. */
import { describe, expect, test } from 'vitest'
import { ACK, bytes, EXTERNAL, FIN, handshake, ip, NatLab, RST, SYN, snat } from './nat-lab.ts'

function flows(n: NatLab) {
  const { rows } = n.lab.local.commands.megaflows(0)
  return rows.map(({ key, mask, actions }) => ({ key, mask, actions }))
}

const cases = [
  { name: 'TCP', port: 80, rules: [snat()] },
  { name: 'FTP, which has a helper', port: 21, rules: [snat()] },
  { name: 'a strict filter', port: 80, rules: [snat({ filtering: 'address-and-port-dependent' as const })] },
]

describe.each(cases)('a SYN from inside: $name', ({ port, rules }) => {
  test('leaves the flow that the next segment of its connection would', () => {
    const n = new NatLab(rules)
    const { commands } = n.lab.local
    commands.megaflowsFlush()
    n.x1.tcp(5000, n.y1.address, port, { flags: SYN, seq: 1000 })
    const left = flows(n)
    expect(left).toHaveLength(1)
    commands.megaflowsFlush()
    n.x1.tcp(5000, n.y1.address, port, { flags: SYN, seq: 1000 })
    expect(flows(n)).toEqual(left)
  })

  test('spares segments behind it a translation, whatever their flags', () => {
    const n = new NatLab(rules)
    const { datapath } = n.lab.local
    n.x1.tcp(5000, n.y1.address, port, { flags: SYN, seq: 1000 })
    const syn = n.y1.one()
    n.y1.tcp(port, syn.src, syn.sport, { flags: SYN | ACK, seq: 5000, ack: 1001 })
    const { upcalls } = datapath
    n.x1.tcp(5000, n.y1.address, port, { flags: ACK, seq: 1001, ack: 5001, data: bytes(100) })
    n.x1.tcp(5000, n.y1.address, port, { flags: RST, seq: 1101 })
    expect(datapath.upcalls).toBe(upcalls)
    expect(n.y1.take().map((p) => [p.src, p.sport])).toEqual([
      [syn.src, syn.sport],
      [syn.src, syn.sport],
    ])
    expect(n.connections().map((c) => c.state)).toEqual(['CLOSE'])
  })

  test('leaves none that outlives its connection', () => {
    const n = new NatLab(rules)
    n.x1.tcp(5000, n.y1.address, port, { flags: SYN, seq: 1000 })
    n.lab.local.commands.connectionsFlush('rt')
    n.y1.take()
    n.x1.tcp(5000, n.y1.address, port, { flags: RST, seq: 1001 })
    expect(n.y1.take()).toEqual([])
    expect(n.drops()).toMatchObject({ 'ct-invalid': 1 })
  })
})

describe('a connection that has closed', () => {
  const closed = (n: NatLab, port: number) => {
    const external = handshake(n.x1, port, n.y1, 80)
    n.x1.tcp(port, n.y1.address, 80, { flags: RST, seq: 1001 })
    n.y1.take()
    return external
  }

  test('keeps its flows for stragglers, until many others have closed', () => {
    const n = new NatLab()
    const { datapath } = n.lab.local
    const external = closed(n, 5000)
    const { upcalls } = datapath
    n.y1.tcp(80, EXTERNAL, external, { flags: RST, seq: 5001 })
    n.x1.tcp(5000, n.y1.address, 80, { flags: RST, seq: 1001 })
    expect([n.x1.take().length, n.y1.take().length, datapath.upcalls]).toEqual([1, 1, upcalls])
    for (let port = 5001; port < 5300; port++) closed(n, port)
    expect(n.connections()).toHaveLength(300)
    expect(datapath.flows.count).toBeLessThan(300)
  })

  test('keeps them when it is in use anew, or was shown stragglers, whatever closes after it', () => {
    const n = new NatLab()
    const { datapath } = n.lab.local
    const fin = FIN | ACK
    const both = () => {
      closed(n, 5000)
      const external = handshake(n.x1, 5001, n.y1, 80)
      n.x1.tcp(5001, n.y1.address, 80, { flags: fin, seq: 1001, ack: 5001 })
      n.y1.tcp(80, EXTERNAL, external, { flags: fin, seq: 5001, ack: 1002 })
      n.x1.tcp(5001, n.y1.address, 80, { flags: ACK, seq: 1002, ack: 5002 })
      n.x1.tcp(5001, n.y1.address, 80, { flags: RST, seq: 1002 })
      n.x1.take()
      n.y1.take()
    }
    both()
    const { upcalls } = datapath
    // Two that close in turn, over and over, push out nobody, and neither does what follows on a close.
    for (let i = 0; i < 70; i++) both()
    expect(datapath.upcalls).toBe(upcalls)
    handshake(n.x1, 5000, n.y1, 80)
    for (let port = 6000; port < 6100; port++) closed(n, port)
    const since = datapath.upcalls
    n.x1.tcp(5000, n.y1.address, 80, { flags: ACK, seq: 1001, ack: 5001 })
    expect([n.y1.take().length, datapath.upcalls]).toEqual([1, since])
  })

  test('has taken no room in the exact-match cache with what opened and closed it', () => {
    const n = new NatLab()
    const { cache } = n.lab.local.datapath
    handshake(n.x1, 5000, n.y1, 80)
    const hits = [ACK, ACK, RST, RST].map((flags) => {
      const before = cache.emcHits
      n.x1.tcp(5000, n.y1.address, 80, { flags, seq: 1001, ack: 5001 })
      return cache.emcHits - before
    })
    expect(hits).toEqual([1, 1, 0, 0])
    expect(n.y1.take()).toHaveLength(4)
  })

  test('begins anew with the next SYN between the same ends, for no more than it cost the first time', () => {
    const n = new NatLab()
    const { commands, datapath } = n.lab.local
    handshake(n.x1, 4000, n.y1, 80)
    const before = datapath.upcalls
    const external = closed(n, 5000)
    const first = datapath.upcalls - before
    // Its flows may be there still, or not.
    for (const [flush, upcalls] of [
      [() => {}, 0] as const,
      [() => commands.megaflowsFlush(), first] as const,
    ]) {
      flush()
      const since = datapath.upcalls
      expect(closed(n, 5000)).toBe(external)
      expect(datapath.upcalls - since).toBe(upcalls)
      expect(n.connections().map((c) => c.state)).toEqual(['ESTABLISHED', 'CLOSE'])
    }
    expect(handshake(n.x1, 5000, n.y1, 80)).toBe(external)
    expect(n.connections().map(({ state, expires }) => [state, expires])).toEqual([
      ['ESTABLISHED', 7440],
      ['ESTABLISHED', 7440],
    ])
  })

  test('does not when rules or routes have changed: it is translated as they say now', () => {
    const n = new NatLab([snat({ type: 'masquerade', to: [] })])
    const routeTo = (via: string) => ({ routes: [{ prefix: 0, prefixLength: 0, via: ip(via), metric: 0 }] })
    const begin = () => n.x1.tcp(5000, '203.0.113.9', 80, { flags: SYN, seq: 1000 })
    begin()
    n.x1.tcp(5000, '203.0.113.9', 80, { flags: RST, seq: 1001 })
    expect(n.y1.take().map((p) => p.src)).toEqual([EXTERNAL, EXTERNAL])
    n.put([snat({ type: 'masquerade', to: [] })], routeTo(n.x2.address))
    expect(n.connections().map((c) => c.state)).toEqual(['CLOSE'])
    begin()
    expect([n.x2.one().src, n.y1.take()]).toEqual(['10.0.0.254', []])
  })

  test('does so for no SYN that is none, and can be evicted then as any other', () => {
    const n = new NatLab([snat()], { maxConnections: 2 })
    closed(n, 5000)
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN | FIN, seq: 1 })
    expect([n.y1.take(), n.drops()['ct-invalid']]).toEqual([[], 1])
    closed(n, 5000)
    n.x1.tcp(5000, n.y1.address, 80, { flags: SYN, seq: 1 })
    n.y1.take()
    handshake(n.x1, 5001, n.y1, 80)
    handshake(n.x1, 5002, n.y1, 80)
    expect(n.connections().map((c) => c.original[1])).toEqual([5001, 5002])
  })

  test('is not begun anew by who is let in no longer', () => {
    const n = new NatLab([snat({ filtering: 'address-dependent' })])
    const port = closed(n, 5000)
    n.y1.tcp(90, EXTERNAL, port, { flags: SYN, seq: 1 })
    n.x1.tcp(5000, n.y1.address, 90, { flags: RST | ACK, seq: 0, ack: 2 })
    expect(n.connections().map((c) => c.state)).toEqual(['CLOSE', 'CLOSE'])
    n.advance(100_000)
    n.y1.tcp(90, EXTERNAL, port, { flags: SYN, seq: 1 })
    n.x1.tcp(5000, n.y1.address, 90, { flags: RST | ACK, seq: 0, ack: 2 })
    // What had let it in is over for good.
    n.advance(200_000)
    expect(n.connections().map((c) => [c.state, c.original[1]])).toEqual([['CLOSE', 90]])
    n.x1.take()
    n.y1.tcp(90, EXTERNAL, port, { flags: SYN, seq: 1 })
    expect(n.x1.take()).toEqual([])
  })
})

test('a first datagram, which may be the only one, leaves no flow', () => {
  const n = new NatLab()
  n.lab.local.commands.megaflowsFlush()
  n.x1.udp(5000, n.y1.address, 53)
  expect(n.y1.take()).toHaveLength(1)
  expect(flows(n)).toEqual([])
})
