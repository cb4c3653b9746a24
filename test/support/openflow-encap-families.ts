/**
 * Flows about packet types, for a comparison with Open vSwitch: labels, NSH and Ethernet put around packets and
 * taken off again. Frames are plain ones; what is to arrive with other headers has been given them by `wrap`.
 */
import { emit, type Repr } from '../../protocols/wire/nsh.ts'
import type { Family } from './openflow-families.ts'

export interface EncapFamily extends Family {
  /** What arrives in place of a plain frame, the n-th. */
  readonly wrap?: (frame: Uint8Array, n: number) => Uint8Array
}

const NSH_BASE = { flags: 1, ttl: 5, spi: 0x1234, si: 200 }
const WORDS = { words: [0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00] }
const TLVS = { tlvs: [{ class: 0x1000, type: 0x0a, data: Uint8Array.of(1, 2, 3, 4, 5) }] }

function typed(frame: Uint8Array, type: number, ...rest: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from([
    ...frame.subarray(0, 12),
    type >>> 8,
    type & 0xff,
    ...rest.flatMap((r) => Array.from(r)),
  ])
}

/** Ethernet and NSH around a whole frame, or (np 1, 2) around what is behind its Ethernet header. */
function inNsh(frame: Uint8Array, r: Repr): Uint8Array {
  const header = new Uint8Array(256)
  emit(r, header, 0)
  const length = (((header[0] << 8) | header[1]) & 0x3f) << 2
  return typed(frame, 0x894f, header.subarray(0, length), r.nextProtocol === 3 ? frame : frame.subarray(14))
}

function nsh(frame: Uint8Array, n: number): Uint8Array {
  const type = (frame[12] << 8) | frame[13]
  const bare = type === 0x0800 ? 1 : type === 0x86dd ? 2 : 3
  const nextProtocol = n % 7 === 6 ? 9 : n % 3 === 0 ? 3 : bare
  return inNsh(frame, { ...NSH_BASE, ttl: 1 + (n % 5), nextProtocol, context: n % 2 === 0 ? WORDS : TLVS })
}

function labels(frame: Uint8Array, n: number): Uint8Array {
  const entry = (i: number, bottom: boolean) => [0, n & 0xff, (i << 4) | (n & 0x0e) | (bottom ? 1 : 0), 9 + i]
  const count = 1 + (n % 3)
  const stack = Array.from({ length: count }, (_, i) => entry(i, i === count - 1)).flat()
  return typed(frame, 0x8847, stack, frame.subarray(14))
}

/** Ethernet, a label and the whole frame: a pseudowire. */
function wire(frame: Uint8Array, n: number): Uint8Array {
  return typed(frame, 0x8847, [0, 0, 0x50 | (n & 0x0e) | 1, 64], frame)
}

export const ENCAP_FAMILIES: readonly EncapFamily[] = [
  {
    name: 'NSH around frames, with and without Ethernet around it',
    flows: [
      'in_port=1,actions=encap(nsh(md_type=1)),set_field:0x1234->nsh_spi,set_field:0x11223344->nsh_c1,encap(ethernet),set_field:11:22:33:44:55:66->eth_dst,output:2',
      'in_port=2,actions=encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba98765432))),set_field:7->nsh_si,set_field:9->nsh_ttl,encap(ethernet),set_field:02:00:00:00:00:33->eth_src,output:1,output:3',
      'in_port=3,actions=encap(nsh),output:4',
      'priority=2,in_port=4,ip,actions=decap,encap(nsh),dec_nsh_ttl,set_field:2->nsh_flags,encap(ethernet),output:1,set_field:6->nsh_flags,output:2',
      'priority=1,in_port=4,actions=encap(nsh),encap(nsh),encap(ethernet),output:1',
    ],
    version: 'OpenFlow13',
  },
  {
    name: 'NSH taken off',
    wrap: nsh,
    flows: [
      'in_port=1,dl_type=0x894f,actions=decap(),decap(),output:2',
      'in_port=2,dl_type=0x894f,nsh_mdtype=1,actions=set_field:3->nsh_flags,set_field:77->nsh_si,set_field:0xdead->nsh_c3,output:1,output:3',
      'in_port=2,dl_type=0x894f,nsh_mdtype=2,actions=set_field:0x321->nsh_spi,output:1',
      'priority=2,in_port=3,dl_type=0x894f,nsh_np=3,actions=decap,decap,resubmit(,1)',
      'priority=1,in_port=3,dl_type=0x894f,actions=decap(),decap(),encap(ethernet),set_field:02:00:00:00:00:44->eth_dst,resubmit(,1)',
      'in_port=4,dl_type=0x894f,actions=dec_nsh_ttl,output:3',
      'table=1,priority=2,udp,actions=dec_ttl,output:1',
      'table=1,priority=1,actions=output:4',
    ],
    version: 'OpenFlow13',
  },
  {
    name: 'packets of other types at ports, tables, groups and clones',
    flows: [
      'in_port=1,actions=decap,output:2,encap(ethernet),output:3',
      'priority=2,in_port=2,ip,actions=clone(encap(nsh),encap(ethernet),output:1),clone(decap,output:3),output:4',
      'priority=1,in_port=2,actions=clone(encap(nsh),encap(nsh),encap(ethernet),output:1),output:3',
      'in_port=3,actions=decap,resubmit(,1)',
      'in_port=4,actions=encap(ethernet),output:1',
      'table=1,priority=3,packet_type=(1,0x800),nw_ttl=64,actions=dec_ttl,encap(ethernet),output:1',
      'table=1,priority=2,packet_type=(1,0x800),actions=encap(ethernet),set_field:02:00:00:00:00:55->eth_src,output:2',
      'table=1,priority=1,packet_type=(1,0x86dd),actions=encap(nsh),encap(ethernet),output:4',
      'table=1,priority=0,actions=output:4',
    ],
    version: 'OpenFlow15',
  },
  {
    name: 'labels in front of whole frames',
    uncached: true,
    flows: [
      'in_port=1,actions=encap(mpls),set_field:77->mpls_label,encap(ethernet),set_field:02:00:00:00:00:66->eth_dst,output:2',
      'in_port=2,actions=encap(mpls_mc),set_field:5->mpls_label,encap(mpls),set_field:6->mpls_label,encap(ethernet),output:1',
      'priority=2,in_port=3,ip,actions=decap,encap(mpls),set_field:9->mpls_label,set_field:3->mpls_tc,encap(ethernet),output:4,set_field:10->mpls_label,output:2',
      'in_port=4,actions=encap(mpls),output:2,encap(ethernet),output:1',
    ],
    version: 'OpenFlow13',
  },
  {
    name: 'labels taken off whole frames',
    uncached: true,
    wrap: wire,
    flows: [
      'in_port=1,mpls,actions=decap(),decap(packet_type(ns=0,type=0)),output:2',
      'in_port=2,mpls,actions=decap(),decap(packet_type(ns=0,type=0)),resubmit(,1)',
      'in_port=3,mpls,actions=decap(),set_field:8->mpls_label,encap(ethernet),output:4',
      'in_port=4,mpls,actions=pop_mpls:0x6558,output:1',
      'table=1,priority=2,ip,actions=dec_ttl,output:1',
      'table=1,priority=1,actions=output:3',
    ],
    version: 'OpenFlow13',
  },
  {
    name: 'labels popped, and headers read anew',
    uncached: true,
    wrap: labels,
    flows: [
      'priority=2,in_port=1,mpls,mpls_bos=1,actions=pop_mpls:0x0800,resubmit(,1)',
      'priority=1,in_port=1,mpls,actions=pop_mpls:0x8847,resubmit(,0)',
      'in_port=2,mpls,actions=set_field:3->mpls_tc,output:4,pop_mpls:0x0800,resubmit(,1)',
      'priority=2,in_port=3,mpls,mpls_bos=1,actions=pop_mpls:0x0800,push_mpls:0x8847,output:2,resubmit(,0)',
      'in_port=4,mpls,actions=pop_mpls:0x0800,dec_ttl,output:1,push_vlan:0x8100,output:2',
      'table=1,priority=2,udp,actions=output:3',
      'table=1,priority=1,actions=output:4',
    ],
    version: 'OpenFlow13',
  },
]
