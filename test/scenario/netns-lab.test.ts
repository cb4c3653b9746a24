import { describe, expect, it } from 'vitest'
import { ip } from '../support/dhcp.ts'
import { MemoryLab, netnsLab } from '../support/memory-lab.ts'

describe('the example network in memory', () => {
  it('carries pings, datagrams, TCP and leases across the router', () => {
    const lab = new MemoryLab()
    const vm1 = lab.station('vm1')
    const vm2 = lab.station('vm2')
    const outside = lab.station('outside')
    vm2.startDhcp()
    lab.advance(5000)
    expect(vm2.address?.address).toBe(ip('10.0.0.151'))
    expect(vm1.ping(ip('10.0.0.254'))).toBe(true)
    expect(vm1.ping(vm2.address!.address)).toBe(true)
    expect(vm2.ping(ip('203.0.113.1'))).toBe(true)
    expect(vm1.ping(ip('192.168.100.21'))).toBe(true)
    expect(vm1.echo(ip('192.168.100.1'))).toBe(true)
    expect(outside.heard?.src).toBe(ip('192.168.100.11'))
    const session = vm1.connect(ip('203.0.113.1'))
    expect(session?.exchange()).toBe(true)
    expect(session?.exchange()).toBe(true)
    expect(vm1.ping(ip('10.0.0.77'))).toBe(false)
    expect([...lab.stations.values()].map((s) => s.bad)).toEqual([0, 0, 0, 0])
    expect(lab.dhcp('rt', 'eth0').leases()).toHaveLength(1)
  })

  it('has ports of every VLAN mode', () => {
    const config = netnsLab()
    config.bridges['br-in'].ports = {
      acc: { type: 'tap', tag: 10 },
      trunk: { type: 'tap', trunks: [10, 20] },
    }
    const lab = new MemoryLab(config)
    const subnet = (text: string) => ({ address: ip(text), prefixLength: 24 })
    lab.station('acc').address = subnet('10.9.0.1')
    lab.station('trunk').address = subnet('10.9.0.2')
    expect(lab.station('acc').ping(ip('10.9.0.2'))).toBe(true)
    expect(lab.station('vm1').ping(ip('10.9.0.2'))).toBe(false)
  })
})
