/**
 * Flows of every family of actions, for a comparison with Open vSwitch: what they do to the same frames is all
 * that counts. Ports are 1 to 4.
 */
export interface Family {
  readonly name: string
  readonly flows: readonly string[]
  readonly groups?: readonly string[]
  /** The OpenFlow version in which ovs-ofctl adds them; 1.2 unless given. */
  readonly version?: string
  /**
   * Open vSwitch must translate each frame anew: what its caches forward learns only a while later, and what they
   * do to labels is what the first frame's had besides.
   */
  readonly uncached?: boolean
}

const T = (table: number, flow: string) => `table=${table},${flow}`

export const FAMILIES: readonly Family[] = [
  {
    name: 'output to ports, reserved ones and none',
    flows: [
      'priority=1,in_port=1,actions=output:2,output:1,in_port,all',
      'priority=1,in_port=2,actions=flood',
      'priority=1,in_port=3,actions=drop',
      'priority=1,in_port=4,actions=output:9,output:1',
      'priority=2,in_port=4,ip,actions=output(port=1,max_len=40),output:2',
    ],
  },
  {
    name: 'output to registers',
    flows: [
      'in_port=1,actions=set_field:3->reg0,output:reg0,set_field:0xffff0002->reg0,output:reg0[0..15],output:reg0',
      'in_port=2,actions=set_field:0xfff8->reg1,output:reg1[0..15]',
      'in_port=3,actions=move:eth_src[0..3]->reg2[0..3],output:reg2',
    ],
  },
  {
    name: 'pushing and popping VLANs',
    flows: [
      'priority=2,in_port=1,vlan_tci=0,actions=push_vlan:0x8100,set_field:4106->vlan_vid,set_field:5->vlan_pcp,output:2',
      'priority=2,in_port=2,vlan_tci=0x1000/0x1000,actions=pop_vlan,output:1,output:3',
      'priority=1,in_port=3,vlan_tci=0,actions=push_vlan:0x88a8,set_field:4098->vlan_vid,output:4',
      'priority=2,in_port=4,vlan_vid=0x1005/0x1fff,actions=set_field:4200->vlan_vid,output:1,set_field:3->vlan_pcp,output:2',
    ],
    version: 'OpenFlow13',
  },
  {
    name: 'VLANs by the actions of OpenFlow 1.0',
    flows: [
      'in_port=1,actions=mod_vlan_vid:7,output:2,mod_vlan_pcp:6,output:3,strip_vlan,output:4',
      'in_port=2,actions=strip_vlan,output:1,mod_vlan_pcp:2,output:3',
      'in_port=3,actions=strip_vlan,strip_vlan,output:1',
      'in_port=4,dl_vlan=5,actions=mod_vlan_vid:0,output:1',
      'in_port=4,dl_vlan=6,dl_vlan_pcp=3,actions=output:2',
    ],
    version: 'OpenFlow10',
  },
  {
    name: 'header fields by the actions of OpenFlow 1.0',
    flows: [
      'in_port=1,actions=mod_dl_src:02:aa:bb:cc:dd:ee,mod_dl_dst:02:11:22:33:44:55,output:2',
      'priority=3,in_port=2,tcp,actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,mod_nw_tos:40,mod_tp_src:1,mod_tp_dst:2,3',
      'priority=3,in_port=2,udp,actions=mod_tp_src:1,output:1,mod_tp_dst:2,output:3',
      'priority=2,in_port=2,ip,actions=mod_nw_ttl:9,mod_nw_ecn:2,output:4',
      'priority=3,in_port=3,udp6,actions=mod_tp_dst:99,mod_nw_tos:8,output:1',
    ],
    version: 'OpenFlow10',
  },
  {
    name: 'fields with masks, loads and moves',
    flows: [
      'in_port=1,ip,actions=set_field:10.9.0.0/255.255.0.0->ip_src,load:0x5->NXM_OF_IP_DST[4..7],output:2',
      'in_port=2,arp,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:2->NXM_OF_ARP_OP[],' +
        'move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],in_port',
      'in_port=3,ipv6,actions=set_field:2001:db8::99->ipv6_dst,set_field:0x123->ipv6_label,set_field:3->ip_ecn,4',
      'in_port=4,icmp,actions=set_field:0->icmp_type,set_field:7->icmp_code,move:ip_src->reg0,move:ip_dst->ip_src,' +
        'move:reg0->ip_dst,output:1',
    ],
  },
  {
    name: 'xregs, xxregs and metadata as one memory',
    flows: [
      T(0, 'in_port=1,actions=set_field:0x100000002->xreg0,resubmit(,1)'),
      T(0, 'in_port=2,actions=set_field:0x1/0xff->xxreg1,set_field:7->reg4,resubmit(,1)'),
      T(0, 'in_port=3,actions=write_metadata:0xabc/0xfff,goto_table:1'),
      T(1, 'reg0=1,reg1=2,actions=output:2'),
      T(1, 'xxreg1=0x00000007000000000000000000000001,actions=output:3'),
      T(1, 'metadata=0xabc,actions=output:4'),
    ],
  },
  {
    name: 'the stack',
    flows: [
      'in_port=1,ip,actions=push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],pop:NXM_OF_IP_SRC[],pop:NXM_OF_IP_DST[],2',
      'in_port=2,actions=push:NXM_OF_ETH_SRC[0..15],set_field:0->reg0,pop:NXM_NX_REG0[16..31],' +
        'move:NXM_NX_REG0[16..31]->NXM_OF_ETH_DST[0..15],pop:NXM_NX_REG1[],output:3',
    ],
  },
  {
    name: 'TTLs',
    flows: [
      'in_port=1,ip,actions=dec_ttl,output:2,dec_ttl,output:3',
      'in_port=2,ipv6,actions=dec_ttl,dec_ttl,output:1',
      'in_port=3,ip,actions=resubmit(,1),output:4',
      T(1, 'ip,actions=dec_ttl,output:1'),
    ],
  },
  {
    name: 'the action set and its order',
    flows: [
      T(
        0,
        'in_port=1,ip,actions=write_actions(output:2,set_field:02:00:00:00:00:99->eth_dst,dec_ttl),goto_table:1',
      ),
      T(0, 'in_port=2,actions=write_actions(output:1),goto_table:2'),
      T(0, 'in_port=3,actions=write_actions(set_field:02:00:00:00:00:77->eth_src),goto_table:1'),
      T(0, 'in_port=4,actions=clone(output:1),write_actions(output:3,push_vlan:0x8100),goto_table:1'),
      T(1, 'in_port=1,ip,actions=write_actions(output:3)'),
      T(1, 'in_port=3,actions=set_field:02:00:00:00:00:88->eth_src,output:1'),
      T(1, 'in_port=4,actions=write_actions(push_vlan:0x88a8)'),
      T(2, 'in_port=2,arp,actions=clear_actions'),
      T(2, 'in_port=2,ip,actions=clear_actions,write_actions(output:4)'),
    ],
  },
  {
    name: 'actset_output',
    flows: [
      T(0, 'in_port=1,actions=write_actions(output:2),goto_table:1'),
      T(0, 'in_port=2,actions=goto_table:1'),
      T(1, 'actset_output=2,actions=output:3'),
      T(1, 'actset_output=unset,actions=output:4'),
    ],
    version: 'OpenFlow15',
  },
  {
    name: 'resubmit: other ports, missing tables, what comes after',
    flows: [
      T(0, 'in_port=1,actions=resubmit(3,1),output:2'),
      T(0, 'in_port=2,actions=resubmit(,9),output:3'),
      T(0, 'in_port=3,actions=set_field:1->reg0,resubmit(,1),output:4'),
      T(0, 'in_port=4,actions=resubmit(1,0)'),
      T(1, 'in_port=3,reg0=0,actions=set_field:02:00:00:00:00:42->eth_src,in_port'),
      T(1, 'in_port=3,reg0=1,actions=set_field:02:00:00:00:00:43->eth_src,exit'),
    ],
  },
  {
    name: 'groups: all, indirect, an empty one, one in another',
    groups: [
      'group_id=1,type=all,bucket=set_field:02:00:00:00:00:61->eth_src,output:2,bucket=output:3,bucket=pop_vlan,output:4',
      'group_id=2,type=indirect,bucket=push_vlan:0x8100,set_field:4101->vlan_vid,output:1',
      'group_id=3,type=all',
      'group_id=4,type=all,bucket=group:2,bucket=output:4',
    ],
    flows: [
      'in_port=1,actions=group:1,output:2',
      'in_port=2,actions=group:2,group:3,output:3',
      'in_port=3,actions=write_actions(group:1,output:2)',
      'in_port=4,actions=group:4',
    ],
  },
  {
    name: 'clone and exit',
    flows: [
      'in_port=1,actions=clone(set_field:02:00:00:00:00:01->eth_dst,output:2,exit,output:3),output:4',
      'in_port=2,ip,actions=clone(dec_ttl,output:1),output:3',
      'in_port=3,actions=output:1,exit,output:2',
      'in_port=4,actions=clone(set_field:3->reg0),resubmit(,1)',
      T(1, 'reg0=0,actions=output:1'),
      T(1, 'reg0=3,actions=output:2'),
    ],
  },
  {
    name: 'exit and the action set',
    flows: [
      T(0, 'in_port=1,actions=write_actions(output:2),goto_table:1'),
      T(0, 'in_port=2,actions=output:4,clone(exit),output:3'),
      T(0, 'in_port=3,actions=write_actions(output:1),goto_table:2'),
      T(0, 'in_port=4,actions=resubmit(,1),output:2'),
      T(1, 'actions=output:3,exit,output:4'),
      T(2, 'actions=resubmit(,1),output:2'),
    ],
  },
  {
    name: 'learn: an address and the way back',
    uncached: true,
    flows: [
      T(
        0,
        'priority=1,actions=learn(table=10,priority=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],' +
          'load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]),resubmit(,10),resubmit(,1)',
      ),
      T(1, 'reg0=0,actions=flood'),
      T(1, 'priority=9,reg0=1,actions=output:1'),
      T(1, 'priority=9,reg0=2,actions=output:2'),
      T(1, 'priority=9,reg0=3,actions=output:3'),
      T(1, 'priority=9,reg0=4,actions=output:4'),
    ],
  },
  {
    name: 'learn: constants, output and a limit that is not reached',
    uncached: true,
    flows: [
      T(
        0,
        'priority=2,ip,actions=learn(table=3,limit=300,result_dst=reg1[0],eth_type=0x800,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],' +
          'load:0x5->NXM_NX_REG3[],output:NXM_OF_IN_PORT[]),resubmit(,3),resubmit(,4)',
      ),
      T(4, 'reg1=1,actions=output:1'),
      T(4, 'reg1=0,actions=output:2'),
    ],
  },
  {
    name: 'conjunctions',
    flows: [
      'priority=10,ip,nw_src=10.0.0.0/24,actions=conjunction(1,1/2)',
      'priority=10,ip,nw_src=192.168.0.1,actions=conjunction(1,1/2)',
      'priority=10,ip,nw_dst=10.0.0.2,actions=conjunction(1,2/2)',
      'priority=10,ip,nw_dst=10.1.0.0/16,actions=conjunction(1,2/2),conjunction(2,1/2)',
      'priority=10,ip,nw_ttl=64,actions=conjunction(2,2/2)',
      'priority=11,conj_id=1,ip,actions=output:1,output:4',
      'priority=9,conj_id=1,ip,actions=output:3',
      'priority=10,conj_id=2,ip,actions=output:2',
      'priority=1,actions=output:3',
    ],
  },
  {
    name: 'bundle and multipath',
    flows: [
      'in_port=1,actions=bundle(eth_src,0,active_backup,ofport,members:2,3)',
      'in_port=2,actions=bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG0[],members:4,3),output:reg0',
      'in_port=3,actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),set_field:1->reg1,resubmit(,1)',
      'in_port=4,ip,actions=multipath(symmetric_l4,7,hash_threshold,4,0,NXM_NX_REG0[0..7]),resubmit(,1)',
      T(1, 'reg0=0,actions=output:1'),
      T(1, 'reg0=1,actions=output:2'),
      T(1, 'reg0=2,actions=output:3'),
      T(1, 'reg0=3,actions=output:1,output:2'),
    ],
  },
  {
    name: 'bundle by highest random weight',
    flows: [
      'in_port=1,actions=bundle(eth_src,3,hrw,ofport,members:2,3,4)',
      'in_port=2,ip,actions=bundle(symmetric_l3l4,1,hrw,ofport,members:1,3,4)',
      'priority=1,in_port=3,actions=multipath(eth_src,1,hrw,3,0,NXM_NX_REG0[]),resubmit(,1)',
      'in_port=3,ip,actions=multipath(nw_src,1,hrw,3,0,NXM_NX_REG0[]),resubmit(,1)',
      'in_port=3,ipv6,actions=multipath(symmetric_l3l4+udp,4,modulo_n,3,0,NXM_NX_REG0[]),resubmit(,1)',
      'in_port=4,ip,actions=multipath(symmetric_l3,5,modulo_n,3,0,NXM_NX_REG0[]),resubmit(,1)',
      'in_port=4,ipv6,actions=multipath(symmetric_l4,6,modulo_n,3,0,NXM_NX_REG0[]),resubmit(,1)',
      T(1, 'reg0=0,actions=output:1'),
      T(1, 'reg0=1,actions=output:2'),
      T(1, 'reg0=2,actions=output:4'),
    ],
  },
  {
    name: 'MPLS',
    flows: [
      'in_port=1,ip,actions=push_mpls:0x8847,set_field:77->mpls_label,set_field:5->mpls_tc,output:2',
      'in_port=2,ip,actions=push_mpls:0x8847,set_mpls_ttl(9),push_mpls:0x8848,set_mpls_label(5),output:1',
      'in_port=3,ipv6,actions=push_mpls:0x8847,dec_mpls_ttl,output:4',
    ],
  },
  {
    name: 'check_pkt_larger',
    flows: [
      'in_port=1,actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,1)',
      'in_port=2,actions=check_pkt_larger(20)->NXM_NX_REG0[0],resubmit(,1)',
      T(1, 'reg0=1,actions=output:3'),
      T(1, 'reg0=0,actions=output:4'),
    ],
  },
  {
    name: 'matches on fragments, flags, TOS and TTL',
    flows: [
      'priority=9,ip,nw_frag=first,actions=output:1,output:2',
      'priority=9,ip,nw_frag=later,actions=output:3,output:4',
      'priority=8,tcp,tcp_flags=+syn-ack,actions=output:1',
      'priority=7,tcp,tcp_flags=+ack,actions=output:2,output:3',
      'priority=6,ip,nw_tos=40,actions=output:4,output:1',
      'priority=5,ip,nw_ttl=2,actions=output:2,output:4',
      'priority=4,udp,tp_dst=80,actions=output:1,output:3',
      'priority=3,arp,arp_op=1,actions=all',
      'priority=2,icmp,icmp_type=8,icmp_code=0,actions=in_port',
    ],
  },
  {
    name: 'prefixes of addresses, one within another',
    flows: [
      'priority=1,ip,nw_dst=10.0.0.0/8,actions=output:1,output:2',
      'priority=2,ip,nw_dst=10.0.0.0/16,actions=output:2,output:3',
      'priority=3,ip,nw_dst=10.0.0.0/24,actions=output:3,output:4',
      'priority=4,ip,nw_dst=10.0.0.2,actions=output:4,output:1',
      'priority=1,ipv6,ipv6_dst=2001:db8::/32,actions=output:1,output:2',
      'priority=2,ipv6,ipv6_dst=2001:db8::/64,actions=output:2,output:3',
      'priority=3,ipv6,ipv6_dst=2001:db8::2,actions=output:3,output:4',
    ],
  },
]
