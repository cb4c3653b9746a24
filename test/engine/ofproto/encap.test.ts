/** encap() and decap(): what the comparison with Open vSwitch cannot show. */
import { expect, it, test } from 'vitest'
import { checkActions } from '../../../protocols/openflow/action-check.ts'
import { emptyMatch } from '../../../protocols/openflow/match.ts'
import { parseActions } from '../../../protocols/openflow/text/action-parse.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { fromHex, hex } from '../../support/frames.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const UDP = fromHex(
  '020000000002 020000000001 0800 4500 0020 0000 0000 4011 66cb 0a000001 0a000002 0001 0002 000c 0000 01020304',
)

function lab(...flows: string[]): OpenflowLab {
  const made = new OpenflowLab(PORTS)
  made.flows(flows)
  return made
}

it('a packet without Ethernet is counted as dropped where a port would send it', () => {
  const made = lab('in_port=1,actions=decap,output:2', 'in_port=2,actions=encap(ethernet),output:1')
  expect(made.send(1, UDP)).toEqual([])
  expect(made.send(2, UDP)).toEqual([])
  expect(made.lab.commands.stats().drops).toEqual({ 'packet-type': 2 })
})

it('headers longer than what is free in front of a frame move it, and leave it as it was when they are gone', () => {
  const tlvs = Array.from({ length: 7 }, (_, i) => `tlv(0x1000,${i},0x${'5a'.repeat(28)})`).join()
  const layer = `encap(nsh(md_type=2,${tlvs}))`
  const made = lab(
    `table=0,in_port=1,actions=${layer},${layer},${layer},encap(ethernet),output:2,resubmit(,1)`,
    'table=1,actions=decap,decap,decap,decap,resubmit(,2)',
    'table=2,udp,tp_dst=2,actions=dec_ttl,output:3',
  )
  for (let n = 0; n < 3; n++) {
    const [outer, inner] = made.send(1, UDP)
    expect(outer.slice(0, 3)).toBe('p2 ')
    expect(outer.length - 3).toBe(2 * (14 + 3 * (8 + 7 * 32) + UDP.length))
    expect(outer.endsWith(hex(UDP))).toBe(true)
    const routed = UDP.slice()
    routed[22]--
    routed[24]++
    expect(inner).toBe(`p3 ${hex(routed)}`)
  }
  expect(made.lab.commands.stats().upcalls).toBe(4)
})

it('of a frame that stands for several segments each gets its header', () => {
  const tcp = fromHex(
    `020000000002 020000000001 0800 4500 0154 0000 4000 4006 2599 0a000001 0a000002 ${'0001 0002 00000001 00000001 5010 2000'} 0000 0000 ${'61'.repeat(300)}`,
  )
  const offload = { flags: 1, gsoType: 1, gsoSize: 100, csumStart: 34, csumOffset: 16 }
  const through = (flow: string): string[] => {
    const made = lab(flow)
    made.lab.device('p1').inject(tcp, offload)
    return made.lab.step().map((s) => hex(s.frame))
  }
  const segments = through('actions=output:2')
  expect(segments).toHaveLength(3)
  const nsh = '0fc6010300001234'.replace('1234', '00ff')
  const wrapped = through('actions=encap(nsh),encap(ethernet),output:2')
  expect(wrapped).toEqual(segments.map((s) => `${'00'.repeat(12)}894f${nsh}${'00'.repeat(16)}${s}`))
  const again = through('actions=decap,encap(ethernet),set_field:02:00:00:00:00:02->eth_dst,output:2')
  expect(again.map((s) => s.slice(24))).toEqual(segments.map((s) => s.slice(24)))
})

test.each([
  ['ip', 'encap(nsh),set_field:1.2.3.4->ip_src', 'OFPBAC_MATCH_INCONSISTENT'],
  ['ip', 'encap(nsh),set_field:7->nsh_si', undefined],
  ['ip', 'set_field:7->nsh_si', 'OFPBAC_MATCH_INCONSISTENT'],
  ['ip', 'decap(),set_field:02:00:00:00:00:01->eth_src', 'OFPBAC_MATCH_INCONSISTENT'],
  ['ip', 'decap(),encap(ethernet),set_field:02:00:00:00:00:01->eth_src', undefined],
  ['mpls', 'decap(),decap(packet_type(ns=0,type=0)),set_field:7->mpls_label', 'OFPBAC_MATCH_INCONSISTENT'],
  ['ip', 'encap(mpls),set_field:7->mpls_label', undefined],
])('of %s the actions %s are refused with %s', (match, actions, expected) => {
  const parsed = parseFlowLine(`${match},actions=drop`, undefined, 'add')
  expect(checkActions(parseActions(actions), parsed.match ?? emptyMatch())?.error).toBe(expected)
})

it('a trace names the operations as Open vSwitch does', () => {
  const made = lab(
    'in_port=1,ip,actions=encap(nsh(md_type=1)),set_field:0x1234->nsh_spi,set_field:0x11223344->nsh_c1,encap(ethernet),set_field:11:22:33:44:55:66->eth_dst,output:2',
    'in_port=2,actions=encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba9876543210))),encap(ethernet),output:1',
    'in_port=3,actions=encap(mpls),set_field:77->mpls_label,encap(ethernet),output:4,decap(),decap(packet_type(ns=0,type=0)),output:1',
    'in_port=4,actions=decap,output:1',
  )
  const actions = (port: number) => made.lab.commands.trace('br0', UDP, port).at(-1)
  const nsh = 'push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1234,si=255,c1=0x11223344,c2=0x0,c3=0x0,c4=0x0)'
  expect(actions(1)).toBe(`Datapath actions: ${nsh},push_eth(src=00:00:00:00:00:00,dst=11:22:33:44:55:66),p2`)
  expect(actions(2)).toContain(
    'push_nsh(flags=0,ttl=63,mdtype=2,np=3,spi=0x0,si=255,md2=0x10000a041234567820001408fedcba9876543210),push_eth',
  )
  expect(actions(3)).toBe(
    'Datapath actions: add_mpls(label=77,tc=0,ttl=64,bos=1,eth_type=0x8847),push_eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),p4,pop_eth,pop_mpls(eth_type=0x6558),recirc(0x1)',
  )
  const bare = made.lab.commands.trace('br0', UDP, 4)
  expect(bare).toContain(
    '     >> Trying to send non-Ethernet packet through legacy L2 port. Dropping packet.',
  )
  expect(bare.find((l) => l.startsWith('Final flow: '))).toMatch(
    /^Final flow: packet_type=\(1,0x800\),(udp,)?in_port=4,nw_src=/,
  )
})

it('random headers throw nothing and lose no cell, and small caches do what large ones do', () => {
  const flows = [
    'table=0,priority=3,in_port=1,dl_type=0x894f,actions=decap,decap,resubmit(,1)',
    'table=0,priority=3,in_port=2,mpls,actions=decap,decap(packet_type(ns=0,type=0)),resubmit(,1)',
    'table=0,priority=3,in_port=3,mpls,actions=pop_mpls:0x894f,dec_nsh_ttl,decap,decap,resubmit(,0)',
    'table=0,priority=2,in_port=4,actions=decap,encap(mpls),encap(mpls),encap(ethernet),resubmit(,1)',
    'table=0,priority=1,actions=encap(nsh),encap(nsh),decap,resubmit(,0)',
    'table=1,priority=4,packet_type=(1,0x894f),actions=decap,resubmit(,1)',
    'table=1,priority=3,packet_type=(1,0x800),actions=dec_ttl,encap(ethernet),output:2',
    'table=1,priority=2,dl_type=0x894f,actions=set_field:9->nsh_ttl,set_field:1->nsh_c4,output:3',
    'table=1,priority=1,mpls,actions=dec_mpls_ttl,output:4',
    'table=1,priority=0,actions=NORMAL',
  ]
  const large = new OpenflowLab(PORTS)
  const small = new OpenflowLab(PORTS, { flowLimit: 2, emcEntries: 2 })
  large.flows(flows)
  small.flows(flows)
  const random = seededRandom(9)
  const free = large.lab.local.datapath.pool.available
  let delivered = 0
  for (let n = 0; n < 4000; n++) {
    const frame = Uint8Array.from({ length: 14 + (random() % 60) }, () => random())
    const type = [0x894f, 0x8847, 0x8848, 0x0800][random() % 4]
    frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1 + (random() % 4), type >>> 8, type & 0xff])
    // Often enough a header that is right about itself.
    if (type === 0x894f && frame.length > 40 && random() % 2 === 0) {
      frame.set([random() % 48, random() % 4 === 0 ? random() : 0xc6, 1, 1 + (random() % 5)], 14)
      if (random() % 2 === 0) frame.set(UDP.subarray(0, frame.length - 38), 38)
    }
    if (type === 0x8847 && random() % 2 === 0) frame[16] |= 1
    const port = 1 + (random() % 4)
    const sent = large.send(port, frame)
    expect(small.send(port, frame), `frame ${n} at ${port}: ${hex(frame)}`).toEqual(sent)
    delivered += sent.length
  }
  expect(large.lab.local.datapath.pool.available).toBe(free)
  expect(delivered).toBeGreaterThan(300)
})
