import { describe, expect, test } from 'vitest'
import {
  formatGroup,
  formatGroupMod,
  formatGroupStats,
} from '../../../../protocols/openflow/text/group-format.ts'
import { parseGroup, parseGroupLine } from '../../../../protocols/openflow/text/group-parse.ts'
import { OF13, OF15 } from '../../../../protocols/openflow/version.ts'

const again = (text: string, version: 4 | 6 = OF15): string => formatGroup(parseGroup(text), version)

describe('groups are printed as they were written', () => {
  test.each([
    'group_id=1,type=select,selection_method=hash,fields(eth_dst=ff:ff:ff:00:00:00,ip_src),bucket=bucket_id:5,weight:10,watch_port:1,actions=output:1,bucket=bucket_id:0,actions=output:2',
    'group_id=2,type=all,bucket=bucket_id:0,actions=output:1,output:2,bucket=bucket_id:1,actions=drop',
    'group_id=3,type=ff,bucket=bucket_id:0,watch_port:1,watch_group:2,actions=output:1',
    'group_id=6,type=select,selection_method=dp_hash,selection_method_param=3,bucket=bucket_id:0,actions=output:1',
    'group_id=7,type=select,selection_method=hash,fields=tcp_src,bucket=bucket_id:0,actions=CONTROLLER:65535',
    'group_id=8,type=indirect,bucket=bucket_id:0,actions=check_pkt_larger(1500)->NXM_NX_REG0[0],output:1',
    'group_id=5,type=select',
  ])('%s', (text) => {
    expect(again(text)).toBe(text)
  })

  test('without bucket ids where the version has none', () => {
    expect(again('group_id=2,type=all,bucket=output:1,bucket=drop', OF13)).toBe(
      'group_id=2,type=all,bucket=actions=output:1,bucket=actions=drop',
    )
  })
})

test('buckets without an id have the lowest that is free', () => {
  const { buckets } = parseGroup(
    'group_id=1,type=all,bucket=output:1,bucket=bucket_id:0,output:2,bucket=output:3',
  )
  expect(buckets.map((b) => b.id)).toEqual([1, 0, 2])
})

test('a line may begin with its command', () => {
  expect(formatGroupMod(parseGroupLine('delete group_id=all'), OF15)).toBe(' DEL group_id=all')
  expect(parseGroupLine('add_or_mod group_id=1,type=all').command).toBe('add_or_modify')
  expect(
    formatGroupMod(parseGroupLine('insert_bucket group_id=1,command_bucket_id=last,bucket=output:1'), OF15),
  ).toBe(' INSERT_BUCKET group_id=1,command_bucket_id:last,bucket=bucket_id:0,actions=output:1')
})

test.each([
  ['type=all', 'must specify a group_id'],
  ['group_id=1', 'must specify a type'],
  ['group_id=1,type=most', 'invalid group type most'],
  ['group_id=4294967295,type=all', 'invalid group id 4294967295'],
  ['group_id=1,type=all,color=red', 'unknown keyword color'],
  ['group_id=1,type=indirect', 'indirect groups must have exactly one bucket'],
  ['group_id=1,type=all,selection_method=hash', 'selection method is not allowed for this group type'],
  ['group_id=1,type=select,fields=ip_src', 'fields without selection method'],
  ['group_id=1,type=all,bucket=weight:3', 'bucket must specify actions'],
  ['group_id=1,type=all,bucket=bucket_id:1,output:1,bucket=bucket_id:1,output:2', 'Duplicate bucket id 1'],
  ['group_id=1,type=select,bucket=weight:0,output:1', 'a bucket must have a weight of at least 1'],
])('%s is refused', (text, why) => {
  expect(() => parseGroup(text)).toThrow(why)
})

test('statistics', () => {
  const counts = { packetCount: 3, byteCount: 180 }
  const stats = { group: 9, refCount: 1, ...counts, durationSec: 2, durationNsec: 5e8, buckets: [counts] }
  expect(formatGroupStats(stats)).toBe(
    'group_id=9,duration=2.500s,ref_count=1,packet_count=3,byte_count=180,bucket0:packet_count=3,byte_count=180',
  )
})
