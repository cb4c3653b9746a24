/** What the first packet of a connection leaves in the flow cache. */
import { describe, expect, test } from 'vitest'
import { ACK, bytes, NatLab, RST, SYN, snat } from './nat-lab.ts'

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

test('a first datagram, which may be the only one, leaves no flow', () => {
  const n = new NatLab()
  n.lab.local.commands.megaflowsFlush()
  n.x1.udp(5000, n.y1.address, 53)
  expect(n.y1.take()).toHaveLength(1)
  expect(flows(n)).toEqual([])
})
