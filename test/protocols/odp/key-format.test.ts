import { expect, test } from 'vitest'
import { extract } from '../../../engine/flow/extract.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'
import { KEY_WORDS, W_DL_DST, W_L4, W_NW, W_NW_SRC, W_TP, W_VLAN } from '../../../protocols/flow-key.ts'
import { formatOdpKey } from '../../../protocols/odp/key-format.ts'
import { fromHex } from '../../support/frames.ts'

const pool = new PacketPool(1)

/** The match of a frame under a mask given by words; all bits of a frame's key if none is given. */
function show(frame: string, masks?: Record<number, number>): string {
  const h = pool.fromBytes(fromHex(frame))
  const key = new Uint32Array(KEY_WORDS)
  extract(pool, h, 3, key, 0)
  pool.free(h)
  const mask = new Uint32Array(KEY_WORDS)
  if (masks === undefined) mask.fill(0xffffffff)
  for (const [word, bits] of Object.entries(masks ?? {})) mask[Number(word)] = bits
  return formatOdpKey(key, mask, { verbose: false, portName: (portNo) => `port${portNo}` })
}

const ETH = '020000000002 020000000001'
const IPV4 = '4510 0028 0001 0000 40 06 0000 0a000001 0a0000fe'
const TCP = `${ETH} 8100 600a 0800 ${IPV4} 0050 c000 00000001 00000000 5012 ffff 0000 0000`

const HEAD = 'recirc_id(0),in_port(port3),packet_type(ns=0,id=0)'

test('all of a TCP segment in a VLAN', () => {
  expect(show(TCP)).toBe(
    `${HEAD},eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x8100),vlan(vid=10,pcp=3),` +
      'encap(eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.254,proto=6,tos=0x10,ttl=64,frag=no),' +
      'tcp(src=80,dst=49152),tcp_flags(syn|ack))',
  )
})

test('only what is matched, with masks where part of a field is; what follows from the type is told', () => {
  const udp = TCP.replace('8100 600a ', '')
  expect(show(udp, { [W_DL_DST]: 0xffff0000 })).toBe(
    `${HEAD},eth(dst=02:00:00:00:00:02/ff:ff:00:00:00:00),eth_type(0x0800),ipv4(frag=no)`,
  )
  expect(show(udp, { [W_NW_SRC]: 0xffffff00, [W_NW]: 0xff000000, [W_TP]: 0xfff0 })).toBe(
    `${HEAD},eth_type(0x0800),ipv4(src=10.0.0.1/255.255.255.0,proto=6,frag=no),tcp(dst=49152/0xfff0)`,
  )
  expect(show(udp, { [W_NW]: 0xff030000, [W_L4]: 0x0013_0000 })).toBe(
    `${HEAD},eth_type(0x0800),ipv4(proto=6,tos=0x10/0x3,frag=no),tcp_flags(-fin+syn+ack)`,
  )
  expect(show(TCP, { [W_VLAN]: 0x1fff_0000 })).toBe(
    `${HEAD},eth_type(0x8100),vlan(vid=10,pcp=3/0x0),encap(eth_type(0x0800),ipv4(frag=no))`,
  )
})

test('ARP, ICMP, fragments, IPv6, frames with a length', () => {
  expect(show(`${ETH} 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`)).toBe(
    `${HEAD},eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0806),` +
      'arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)',
  )
  const icmp = `${ETH} 0800 4500 001c 0001 2000 40 01 0000 0a000001 0a000002 0800 0000 abcd 0001`
  expect(show(icmp).split('frag=')[1]).toBe('first),icmp(type=8,code=0)')
  const v6 = `${ETH} 86dd 60000000 0008 11 40 ${'00'.repeat(15)}01 ${'fe80'}${'00'.repeat(13)}02 0035 0036 0008 0000`
  expect(show(v6).split('eth_type(0x86dd),')[1]).toBe(
    'ipv6(src=::1,dst=fe80::2,label=0,proto=17,tclass=0,hlimit=64,frag=no),udp(src=53,dst=54)',
  )
  expect(show(`${ETH} 0003 f0f0f0`, {})).toBe(`${HEAD},eth_type(0/0xffff)`)
})
