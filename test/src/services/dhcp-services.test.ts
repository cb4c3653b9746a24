import { describe, expect, it } from 'vitest'
import type { DhcpServerConfig } from '../../../protocols/dhcp/config.ts'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'
import { DhcpService } from '../../../src/services/dhcp-server.ts'
import { ask, ip, SERVER_ID, serverConfig, subnet } from '../../support/dhcp.ts'
import { DhcpNetwork, MemoryStore, NO_FAULTS, wrap } from '../../support/dhcp-network.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const FIRST = ip('10.0.0.151')
const DAY = 86_400_000

function lab(config: DhcpServerConfig = serverConfig(), faults = NO_FAULTS, seed = 1) {
  const clock = new VirtualClock()
  const network = new DhcpNetwork(clock, faults, seed)
  const store = new MemoryStore(clock)
  const logged: string[] = []
  const serve = () =>
    new DhcpService(
      { config, port: network.plug(), clock, log: (_, line) => logged.push(line) },
      store,
      store.records,
    )
  return { clock, network, store, logged, serve, service: serve() }
}

describe('DHCP client and server on one segment', () => {
  it('a host gets address, mask, router and time', () => {
    const { clock, network, service } = lab()
    const host = network.join(1)
    clock.advance(2000)
    expect(host.applied).toMatchObject({
      address: FIRST,
      prefixLength: 24,
      router: SERVER_ID,
      leaseTime: 86_400,
      serverId: SERVER_ID,
    })
    expect(host.service.state).toBe('bound')
    expect(service.leases()).toMatchObject([{ address: FIRST, mac: 1, hostname: 'host-1', state: 'bound' }])
  })

  it('renews at half of the time, by unicast, and keeps its address for weeks', () => {
    const { clock, network, service } = lab()
    const host = network.join(1)
    clock.advance(1000)
    clock.advance(DAY / 2)
    expect(host.history).toHaveLength(2)
    clock.advance(20 * DAY)
    expect(host.history.every((l) => l?.address === FIRST)).toBe(true)
    expect(host.history.length).toBeGreaterThan(40)
    expect(service.counters.nak + service.counters.decline).toBe(0)
    expect(service.counters.discover).toBe(1)
  })

  it('rebinds by broadcast when its server has gone, loses the address at the end, and looks for a new one', () => {
    const { clock, network, serve } = lab()
    const host = network.join(1)
    clock.advance(1000)
    network.unplug()
    clock.advance(DAY * 0.6)
    expect(host.service.state).toBe('renewing')
    clock.advance(DAY * 0.3)
    expect(host.service.state).toBe('rebinding')
    clock.advance(DAY * 0.2)
    expect(host.applied).toBeUndefined()
    expect(host.service.state).toBe('selecting')
    serve()
    clock.advance(70_000)
    expect(host.applied?.address).toBe(FIRST)
  })

  it('reboots into the same address (INIT-REBOOT), and gets another after DHCPNAK', () => {
    const { clock, network } = lab()
    network.join(1)
    clock.advance(1000)
    network.hosts[0].service.detach()
    network.hosts.pop()
    const again = network.join(1, FIRST)
    clock.advance(100)
    expect(again.applied?.address).toBe(FIRST)
    expect(again.history).toHaveLength(1)
    const wrong = network.join(2, ip('172.16.3.3'))
    clock.advance(2000)
    expect(wrong.applied?.address).toBe(FIRST + 1)
  })

  it('an INIT-REBOOT that the server must not answer ends in a new lease', () => {
    const { clock, network, service } = lab()
    const host = network.join(1, FIRST + 7)
    clock.advance(60_000)
    expect(host.applied?.address).toBe(FIRST)
    expect(service.counters.silent).toBe(3)
  })

  it('releases, and comes back to the same address', () => {
    const { clock, network, service } = lab()
    const host = network.join(1)
    clock.advance(1000)
    host.service.release()
    clock.advance(10)
    expect(host.applied).toBeUndefined()
    expect(service.leases()).toMatchObject([{ state: 'released' }])
    network.hosts.pop()
    network.join(2)
    const again = network.join(1)
    clock.advance(2000)
    expect(again.applied?.address).toBe(FIRST)
  })

  it('declines an address in use, waits ten seconds, and gets another', () => {
    const { clock, network, service, logged } = lab()
    const host = network.join(1)
    clock.advance(1000)
    host.service.decline()
    clock.advance(9_000)
    expect(host.applied).toBeUndefined()
    clock.advance(2_000)
    expect(host.applied?.address).toBe(FIRST + 1)
    expect(service.leases()[0]).toMatchObject({ address: FIRST, state: 'declined', mac: undefined })
    expect(logged).toEqual([expect.stringContaining('10.0.0.151')])
  })

  it('the server finds an address in use by a probe and offers another', () => {
    const { clock, network, store } = lab()
    const squatter = network.join(1)
    clock.advance(1000)
    // The server forgets everything: its address is now in use by a stranger.
    store.records.length = 0
    new DhcpService({ config: serverConfig(), port: network.plug(), clock, log: () => {} }, store, [])
    const host = network.join(2)
    clock.advance(2000)
    expect(squatter.applied?.address).toBe(FIRST)
    expect(host.applied?.address).toBe(FIRST + 1)
  })

  it('a crash between the commit and its ACK costs the client one retransmission, not its address', () => {
    const { clock, network, store, serve } = lab()
    const host = network.join(1)
    clock.advance(501)
    // The request has come, its lease is on its way; the process dies.
    network.unplug()
    clock.advance(10)
    expect(store.records).toHaveLength(1)
    expect(host.applied).toBeUndefined()
    const service = serve()
    clock.advance(10_000)
    expect(host.applied).toMatchObject({ address: FIRST })
    expect(service.leases()).toHaveLength(1)
  })

  it('no ACK while the store fails; the client gets its lease once it works', () => {
    const { clock, network, store, service } = lab()
    store.failing = true
    const host = network.join(1)
    clock.advance(20_000)
    expect(host.applied).toBeUndefined()
    expect(service.counters.ack).toBe(0)
    expect(service.counters.commitFailed).toBeGreaterThan(1)
    store.failing = false
    clock.advance(70_000)
    expect(host.applied?.address).toBe(FIRST)
  })

  it('stops answering when closed', async () => {
    const { clock, network, service } = lab()
    await service.close()
    network.join(1)
    clock.advance(10_000)
    expect(network.sent).toEqual([])
  })

  it('ignores frames that are not for it, cut anywhere', () => {
    const { clock, network, service } = lab()
    let feed: ((frame: Uint8Array) => void) | undefined
    const port = { mac: 1, address: SERVER_ID, send: () => {}, sendVia: () => {}, probe: () => {} }
    const store = new MemoryStore(clock)
    const other = new DhcpService(
      {
        config: serverConfig(),
        clock,
        log: () => {},
        port: { ...port, onFrame: (listener) => (feed = listener) },
      },
      store,
      [],
    )
    const frame = wrap(dhcp.emit(ask(dhcp.DISCOVER)), 1, 0, 0xffff_ffff)
    for (let n = 0; n < frame.length; n++) feed!(frame.slice(0, n))
    const fragment = frame.slice()
    fragment[20] = 0x20
    feed!(fragment)
    const tcp = frame.slice()
    tcp[23] = 6
    feed!(tcp)
    expect(other.counters.received).toBe(0)
    feed!(frame)
    expect(other.counters.received).toBe(1)
    expect([network.sent.length, service.counters.received]).toEqual([0, 0])
  })
})

describe('with loss, duplication and reordering', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`everyone ends with an address of their own (seed ${seed})`, () => {
      const faults = { loss: 0.2, duplication: 0.2, jitter: 3000 }
      const config = serverConfig({ subnets: [subnet({ leaseTime: 3600 })] })
      const { clock, network, store, serve, service } = lab(config, faults, seed)
      for (let mac = 1; mac <= 10; mac++) network.join(mac)
      const check = () => {
        const used = network.addresses()
        expect(new Set(used).size).toBe(used.length)
      }
      for (let t = 0; t < 300; t++) {
        clock.advance(1000)
        check()
      }
      expect(network.addresses()).toHaveLength(10)
      const before = network.hosts.map((h) => h.applied?.address)
      for (let t = 0; t < 200; t++) {
        clock.advance(60_000)
        check()
        if (t % 50 === 25) {
          network.unplug()
          serve()
        }
      }
      expect(network.hosts.map((h) => h.applied?.address)).toEqual(before)
      expect(store.records.length).toBeGreaterThan(10)
      expect(service.counters.malformed).toBe(0)
    })
  }
})
