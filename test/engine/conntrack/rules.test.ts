/** NAT rules: which apply, what they do, and what becomes of connections when they change. */
import { describe, expect, test } from 'vitest'
import { ACK, bytes, dnat, EXTERNAL, handshake, ip, NatLab, range, SYN, snat } from './nat-lab.ts'

describe('source rules', () => {
  test('what no rule matches is routed as it is', () => {
    const n = new NatLab([snat({ notDestination: { prefix: ip('192.168.100.2'), prefixLength: 32 } })])
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.udp(5000, n.y2.address, 53)
    expect(n.y1.one().src).toBe(EXTERNAL)
    expect(n.y2.one().src).toBe(n.x1.address)
    n.y2.udp(53, n.x1.address, 5000)
    expect(n.x1.one()).toMatchObject({ src: n.y2.address, dport: 5000 })
  })

  test('the first that matches counts', () => {
    const n = new NatLab([snat({ protocol: 'udp', to: [range('192.168.100.50')] }), snat()])
    n.x1.udp(5000, n.y1.address, 53)
    n.x1.tcp(5000, n.y1.address, 53, { flags: SYN })
    expect(n.y1.take().map((p) => p.src)).toEqual(['192.168.100.50', EXTERNAL])
  })

  test('source, notSource, destination and outInterface', () => {
    const host = (a: string) => ({ prefix: ip(a), prefixLength: 32 })
    const n = new NatLab([
      snat({ notSource: host('10.0.0.1'), destination: host('192.168.100.1'), outInterface: 'eth1' }),
      snat({ outInterface: 'eth0', to: [range('192.168.100.99')] }),
    ])
    n.x1.udp(5000, n.y1.address, 53)
    n.x2.udp(5000, n.y1.address, 53)
    n.x2.udp(5000, n.y2.address, 53)
    expect(n.y1.take().map((p) => p.src)).toEqual([n.x1.address, EXTERNAL])
    expect(n.y2.one().src).toBe(n.x2.address)
  })

  test('masquerade takes the address of the interface it leaves by', () => {
    const n = new NatLab([snat({ type: 'masquerade', to: [], outInterface: 'eth1' })])
    handshake(n.x1, 5000, n.y1, 80)
    expect(n.connections()[0].reply).toEqual([ip(n.y1.address), 80, ip(EXTERNAL), 5000])
  })

  test('an external address that no interface has is answered for by ARP, and reached', () => {
    const n = new NatLab([snat({ to: [range('192.168.100.50')] })])
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    expect(out.src).toBe('192.168.100.50')
    n.y2.station.sendArp({ tpa: ip('192.168.100.50') })
    expect(n.y2.station.takeArp().map((a) => a.spa)).toEqual([ip('192.168.100.50')])
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.one().dport).toBe(5000)
    n.y1.udp(53, out.src, 9)
    expect(n.drops()['nat-no-mapping']).toBe(1)
  })

  test('external addresses that are routed to us, on no subnet: filters hold, hairpinning works', () => {
    const n = new NatLab([
      snat({ to: [range('203.0.113.5')], filtering: 'address-dependent' }),
      dnat({
        address: ip('203.0.113.5'),
        protocol: 'udp',
        ports: { first: 80, last: 80 },
        to: ip('10.0.0.2'),
      }),
    ])
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.one().src).toBe('203.0.113.5')
    n.y2.udp(53, '203.0.113.5', 5000)
    expect(n.x1.take()).toEqual([])
    n.y1.udp(99, '203.0.113.5', 5000)
    expect(n.x1.take()).toHaveLength(1)
    n.y2.udp(53, '203.0.113.5', 80)
    expect(n.x2.one().src).toBe(n.y2.address)
    n.x1.udp(5000, '203.0.113.5', 80)
    expect(n.x2.one()).toMatchObject({ src: '203.0.113.5', sport: 5000 })
  })

  test('a rule without an address to translate to refuses', () => {
    const n = new NatLab([snat({ to: [] })])
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.take()).toEqual([])
    expect(n.drops()['nat-ports-exhausted']).toBe(1)
  })

  test('protocols that cannot be translated do not leave with a hidden address', () => {
    const n = new NatLab()
    n.x1.station.send({ dst: n.y1.address, protocol: 47, payload: bytes(20) })
    expect(n.y1.station.takeIp()).toEqual([])
    expect(n.drops()['nat-no-mapping']).toBe(1)
  })

  test('the router itself is reached from inside and outside, untranslated', () => {
    const n = new NatLab()
    n.x1.echo(1, '10.0.0.254')
    n.x1.echo(2, EXTERNAL)
    n.y1.echo(3, EXTERNAL)
    expect(n.x1.take().map((p) => [p.src, p.sport])).toEqual([
      ['10.0.0.254', 1],
      [EXTERNAL, 2],
    ])
    expect(n.y1.one()).toMatchObject({ src: EXTERNAL, sport: 3 })
    expect(n.connections()).toEqual([])
  })
})

describe('forwardings', () => {
  test('a range of ports keeps its order', () => {
    const n = new NatLab([
      dnat({ protocol: 'udp', ports: { first: 3000, last: 3009 }, to: ip('10.0.0.2'), toPort: 4000 }),
    ])
    n.y1.udp(7, EXTERNAL, 3000)
    n.y1.udp(7, EXTERNAL, 3009)
    n.y1.udp(7, EXTERNAL, 3010)
    expect(n.x2.take().map((p) => p.dport)).toEqual([4000, 4009])
  })

  test('a whole address, ICMP included', () => {
    const n = new NatLab([dnat({ address: ip('192.168.100.60'), to: ip('10.0.0.2') })])
    n.y1.udp(7, '192.168.100.60', 3000)
    n.y1.echo(9, '192.168.100.60')
    const seen = n.x2.take()
    expect(seen.map((p) => [p.protocol, p.dport])).toEqual([
      [17, 3000],
      [1, 9],
    ])
    n.x2.echo(9, n.y1.address, 0)
    expect(n.y1.one()).toMatchObject({ src: '192.168.100.60', sport: 9 })
  })

  test('inInterface', () => {
    const n = new NatLab([
      dnat({ protocol: 'udp', ports: { first: 7, last: 7 }, to: ip('10.0.0.2'), inInterface: 'eth0' }),
    ])
    n.y1.udp(5, EXTERNAL, 7)
    expect(n.x2.take()).toEqual([])
    n.x1.udp(5, EXTERNAL, 7)
    expect(n.x2.take()).toHaveLength(1)
  })

  test('a dynamic mapping never takes a forwarded port, and the forwarded endpoint goes out by its own', () => {
    const n = new NatLab([
      snat(),
      dnat({ protocol: 'udp', ports: { first: 5000, last: 5000 }, to: ip('10.0.0.2'), toPort: 80 }),
    ])
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.one().sport).not.toBe(5000)
    n.x2.udp(80, n.y1.address, 53)
    expect(n.y1.one().sport).toBe(5000)
    n.y2.udp(1, EXTERNAL, 5000)
    expect(n.x2.one().dport).toBe(80)
  })

  test('nor a port on which the router has a service', () => {
    const n = new NatLab([
      snat({
        ports: { first: 60, last: 70 },
        to: [range('10.0.0.254')],
        notDestination: { prefix: ip('10.0.0.254'), prefixLength: 32 },
      }),
    ])
    for (let i = 60; i <= 70; i++) n.x1.udp(i, n.y1.address, 53)
    const ports = n.y1.take().map((p) => p.sport)
    expect(ports).toHaveLength(10)
    expect(ports).not.toContain(67)
  })

  test('two forwardings to one server: clients that use the same port through both are told apart', () => {
    const one = dnat({ protocol: 'udp', ports: { first: 81, last: 81 }, to: ip('10.0.0.2'), toPort: 80 })
    const two = dnat({ protocol: 'udp', ports: { first: 82, last: 82 }, to: ip('10.0.0.2'), toPort: 80 })
    const n = new NatLab([one, two])
    n.y1.udp(7, EXTERNAL, 81)
    n.y1.udp(7, EXTERNAL, 82)
    const [a, b] = n.x2.take()
    expect(a.sport).not.toBe(b.sport)
    n.x2.udp(80, n.y1.address, b.sport)
    n.x2.udp(80, n.y1.address, a.sport)
    expect(n.y1.take().map((p) => [p.sport, p.dport])).toEqual([
      [82, 7],
      [81, 7],
    ])
  })
})

describe('a change of rules', () => {
  test('that still allows a connection keeps it', () => {
    const n = new NatLab()
    const port = handshake(n.x1, 5000, n.y1, 80)
    n.put([dnat({ protocol: 'tcp', ports: { first: 22, last: 22 }, to: ip('10.0.0.2') }), snat()])
    expect(n.connections().map((c) => c.state)).toEqual(['ESTABLISHED'])
    n.y1.tcp(80, EXTERNAL, port, { flags: ACK, seq: 5001, ack: 1001, data: bytes(5) })
    expect(n.x1.one().dport).toBe(5000)
  })

  test('that gives another address ends it', () => {
    const n = new NatLab()
    handshake(n.x1, 5000, n.y1, 80)
    n.x2.udp(1, n.y1.address, 2)
    n.put([snat({ protocol: 'udp' }), snat({ to: [range('192.168.100.50')] })])
    expect(n.connections().map((c) => c.protocol)).toEqual(['udp'])
  })

  test('that takes a forwarding away ends what came by it', () => {
    const forward = dnat({ protocol: 'udp', ports: { first: 80, last: 80 }, to: ip('10.0.0.2') })
    const n = new NatLab([snat(), forward])
    n.y1.udp(7, EXTERNAL, 80)
    n.put([snat(), forward])
    expect(n.connections()).toHaveLength(1)
    n.put([snat(), dnat({ protocol: 'udp', ports: { first: 80, last: 80 }, to: ip('10.0.0.1') })])
    expect(n.connections()).toEqual([])
    n.y1.udp(7, EXTERNAL, 80)
    expect(n.x1.take()).toHaveLength(1)
  })

  test('no rules at all: no connections, and packets pass as they are', () => {
    const n = new NatLab()
    n.x1.udp(5000, n.y1.address, 53)
    n.put([])
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.take().map((p) => p.src)).toEqual([EXTERNAL, n.x1.address])
    expect(n.connections()).toEqual([])
    n.put([snat()])
    n.x1.udp(5000, n.y1.address, 53)
    expect(n.y1.one().src).toBe(EXTERNAL)
  })

  test('a flush forgets everything', () => {
    const n = new NatLab([snat({ filtering: 'address-and-port-dependent' })])
    n.x1.udp(5000, n.y1.address, 53)
    const out = n.y1.one()
    n.lab.local.commands.connectionsFlush('rt')
    expect(n.connections()).toEqual([])
    n.y1.udp(53, out.src, out.sport)
    expect(n.x1.take()).toEqual([])
  })
})
