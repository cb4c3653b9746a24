/** Packets whose headers are read anew: the second look is cached like the first. */
import { describe, expect, it, test } from 'vitest'
import { KeptValues } from '../../../engine/ofproto/kept-values.ts'
import { TAG_FROZEN } from '../../../engine/ofproto/tags.ts'
import { formatOdpKey } from '../../../protocols/odp/key-format.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { fromHex, hex } from '../../support/frames.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const ETH = '020000000002 020000000001'

/** A UDP datagram to port `to` behind label stack entries. */
function labelled(to: string, ...entries: string[]): Uint8Array {
  const type = entries.length === 0 ? '0800' : '8847'
  const ip = '4500 0020 0000 0000 4011 66cb 0a000001 0a000002'
  return fromHex(`${ETH} ${type} ${entries.join('')} ${ip} 0001 ${to} 000c 0000 01020304`)
}

const POP = ['table=0,mpls,actions=pop_mpls:0x0800,resubmit(,1)', 'table=1,udp,tp_dst=2,actions=output:3']

function lab(flows: readonly string[], options = {}): OpenflowLab {
  const made = new OpenflowLab(PORTS, options)
  made.flows(flows)
  return made
}

describe('a frame whose label is popped', () => {
  it('costs two lookups and no translation, and is counted at every rule on its way', () => {
    const made = lab(POP)
    const frame = labelled('0002', '0000 5140')
    const popped = `p3 ${hex(labelled('0002'))}`
    expect(made.send(1, frame)).toEqual([popped])
    const before = made.lab.commands.stats()
    for (let n = 0; n < 10; n++) expect(made.send(1, frame)).toEqual([popped])
    const after = made.lab.commands.stats()
    expect(after.upcalls - before.upcalls).toBe(0)
    expect(after.emcHits - before.emcHits).toBe(20)
    expect(made.counters()).toEqual(
      new Map([
        ['0 32768', `11/${11 * frame.length}`],
        ['1 32768', `11/${11 * (frame.length - 4)}`],
      ]),
    )
  })

  it('follows a change of the rules behind the label at once', () => {
    const made = lab(POP)
    const frame = labelled('0002', '0000 5140')
    expect(made.send(1, frame)).toHaveLength(1)
    made.flows(['table=1,priority=40000,udp,actions=drop'])
    expect(made.send(1, frame)).toEqual([])
    made.flows(['table=0,mpls,actions=pop_mpls:0x0800,output:4'])
    expect(made.send(1, frame)).toEqual([`p4 ${hex(labelled('0002'))}`])
  })

  it('shows what it is looked up by', () => {
    const made = lab(POP)
    made.send(1, labelled('0002', '0000 5140'))
    const flows = made.lab.commands
      .megaflows(0, true)
      .rows.map((f) => `${formatOdpKey(f.key, f.mask, { verbose: false, portName: String })} ${f.actions}`)
    expect(flows).toHaveLength(2)
    expect(flows[0]).toMatch(/^recirc_id\(0\),in_port\(1\).* pop_mpls\(eth_type=0x800\),recirc\(0x1\)$/)
    expect(flows[1]).toMatch(/^recirc_id\(0x1\),.*udp\(dst=2\).* p3$/)
  })
})

it('headers are read anew six times, then the packet is dropped', () => {
  const made = lab(['actions=push_mpls:0x8847,pop_mpls:0x0800,output:2,resubmit(,0)'])
  expect(made.send(1, labelled('0002'))).toHaveLength(7)
  expect(made.lab.commands.stats().drops['recirculation-gone']).toBe(1)
})

it.each([1, 2, 3])(
  'a cache of %i flows, each of which ends others that still run, changes nothing',
  (flowLimit) => {
    const flows = [
      'table=0,priority=9,in_port=1,mpls,actions=clone(pop_mpls:0x0800,resubmit(,1)),output:4',
      'table=0,priority=9,in_port=2,mpls,actions=clone(pop_mpls:0x0800,resubmit(,2)),clone(pop_mpls:0x0800,resubmit(,1)),set_field:3->mpls_tc,output:4',
      'table=0,priority=1,actions=output:3',
      'table=1,udp,actions=learn(table=2,priority=5,eth_type=0x800,ip_proto=17,udp_dst=NXM_OF_UDP_DST[],load:7->NXM_NX_REG1[]),mod_dl_src:02:00:00:00:00:55,mod_nw_tos:8,mod_tp_src:9,output:2,output:3',
      'table=1,priority=1,actions=mod_vlan_vid:5,output:2',
      'table=2,udp,actions=push_mpls:0x8847,output:3',
      'table=2,priority=1,actions=mod_dl_src:02:00:00:00:00:77,output:3',
    ]
    const tiny = lab(flows, { flowLimit, emcEntries: 2 })
    const large = lab(flows)
    const random = seededRandom(flowLimit)
    for (let n = 0; n < 200; n++) {
      const to = `000${random() % 4}`
      const frame = labelled(
        to,
        ...[[], ['0000 5140'], ['0000 6140'], ['0000 7040', '0000 8140']][random() % 4],
      )
      const port = 1 + (random() % 2)
      expect(tiny.send(port, frame)).toEqual(large.send(port, frame))
    }
  },
)

describe('a program that ends its own flow, by what it tells the tracker', () => {
  // Both directions of a connection: it is answered, which ends the flows of connections that are not.
  const answered = 'mod_nw_src:10.0.0.2,mod_nw_dst:10.0.0.1,mod_tp_src:2,mod_tp_dst:1,ct(zone=1)'
  const begun = 'table=0,in_port=2,udp,actions=ct(commit,zone=1),output:4'
  const frame = labelled('0002')

  it('goes on to its end', () => {
    const made = lab([
      begun,
      `table=0,in_port=1,udp,actions=ct(zone=1),${answered},clone(push_mpls:0x8847,pop_mpls:0x0800,resubmit(,1)),output:3`,
      // As long as the one above, whose place it would take.
      `table=1,actions=${Array(17).fill('output:2').join()}`,
    ])
    made.send(2, frame)
    const sent = made.send(1, frame).map((line) => line.slice(0, 2))
    expect(sent).toEqual([...Array(17).fill('p2'), 'p3'])
  })

  it('is none of the next frame, though that has the same headers', () => {
    const made = lab([
      begun,
      'table=0,in_port=1,udp,actions=ct(zone=1,table=1)',
      `table=1,ct_state=+new,udp,actions=${answered},output:3`,
      'table=1,ct_state=+est,udp,actions=output:4',
    ])
    made.send(2, frame)
    expect(made.lab.send('p1', frame, frame, frame).map((sent) => sent.port)).toEqual(['p3', 'p4', 'p4'])
  })
})

test('numbers of what is kept are used again only when their tags have been touched', () => {
  const touched: number[] = []
  const kept = new KeptValues<string>(TAG_FROZEN, 3, { touch: (tag) => touched.push(tag) }, (s) => s, 5)
  const ids = ['a', 'b', 'c', 'a', 'd', 'e'].map((s) => kept.keep(s))
  expect(ids).toEqual([1, 2, 3, 1, 4, 5])
  expect(touched).toEqual([2, 3].map((id) => kept.tag(id)))
  expect([1, 2, 3].map((id) => kept.get(id))).toEqual(['a', undefined, undefined])
  // "a" makes way, and its number is free; that of "d" is not.
  expect(kept.keep('f')).toBe(1)
  expect(kept.keep('d')).toBe(4)
  expect(['g', 'h'].map((s) => kept.keep(s))).toEqual([2, 3])
})
