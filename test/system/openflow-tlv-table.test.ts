/** The unmodified ovs-ofctl maps tunnel options, programs flows that name them, and watches them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OpenflowNetwork } from '../support/openflow-network.ts'

let network: OpenflowNetwork
beforeAll(async () => {
  network = await OpenflowNetwork.create()
})
afterAll(() => network.close())

test('options are mapped, named in flows, and unmapped when no flow names them', async () => {
  const refused = await network.tryOfctl('add-flow', 'br0', 'tun_metadata1=5,actions=drop')
  expect(refused.stderr).toContain('NXFMFC_INVALID_TLV_FIELD')
  await network.ofctl('add-tlv-map', 'br0', '{class=0xffff,type=1,len=8}->tun_metadata1')
  const twice = await network.tryOfctl('add-tlv-map', 'br0', '{class=0xffff,type=2,len=4}->tun_metadata1')
  expect(twice.stderr).toContain('NXTTMFC_ALREADY_MAPPED')
  expect(await network.ofctl('dump-tlv-map', 'br0')).toMatch(/0xffff\s+0x1\s+8\s+tun_metadata1/)
  await network.ofctl('add-flow', 'br0', 'table=9,actions=drop')
  const monitor = network.world.spawn(['ovs-ofctl', 'monitor', 'br0', 'watch:'])
  await monitor.waitFor(/event=ADDED table=9/, 5000)
  await network.ofctl('add-flow', 'br0', 'tun_metadata1=5,actions=set_field:7->tun_metadata1,output:2')
  const expected = ['tun_metadata1=0x5 actions=set_field:0x7->tun_metadata1,output:2']
  expect(await network.dump('table=0')).toEqual(expected)
  await monitor.waitFor(/event=ADDED table=0 cookie=0 tun_metadata1=0x5/, 5000)
  const used = await network.tryOfctl('del-tlv-map', 'br0')
  expect(used.stderr).toContain('NXTTMFC_INVALID_TLV_DEL')
  await network.ofctl('del-flows', 'br0')
  await monitor.waitFor(/event=DELETED reason=delete table=0 cookie=0 tun_metadata1=0x5/, 5000)
  await network.ofctl('del-tlv-map', 'br0', '{class=0xffff,type=1,len=8}->tun_metadata1')
  expect(await network.ofctl('dump-tlv-map', 'br0')).not.toContain('tun_metadata1')
  await monitor.stop('SIGTERM', 2000)
})
