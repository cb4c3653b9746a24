/** ovs-ofctl is told the same by us as by Open vSwitch, in what goes well and in what does not. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DATAGRAM, Dialogue, O13, O15, PACKET } from '../support/openflow-dialogue.ts'

let dialogue: Dialogue
beforeAll(async () => {
  dialogue = await Dialogue.start(['p1', 'p2', 'p3', 'p4'])
})
afterAll(() => dialogue.stop())
beforeEach(() => dialogue.reset())
afterEach(() => expect(dialogue.mistakes).toEqual([]))

describe('what actions name must be there', () => {
  const REFUSED = [
    'add-flow br0 actions=group:7',
    '-O OpenFlow11 add-flow br0 actions=group:7',
    O13('add-flow br0 actions=write_actions(group:7)'),
    O13('add-flow br0 actions=clone(group:7)'),
    O13('add-flow br0 actions=meter:5,output:1'),
    O13(`packet-out br0 in_port=1,packet=${PACKET},actions=group:7`),
    O15(`packet-out br0 in_port=1,packet=${PACKET},actions=meter:7,output:2`),
    `-O OpenFlow14 packet-out br0 in_port=1,packet=${PACKET.slice(0, -4)}0806,actions=output:1,set_field:1.2.3.4->ip_src`,
  ]

  test('or they are refused', async () => {
    for (const command of REFUSED) expect(await dialogue.expectAlike(command)).toContain('OFPT_ERROR')
    expect(await dialogue.expectAlike('--no-stats dump-flows br0')).toBe('')
  })

  test('but not ports, tables, and meters of packets to the controller', async () => {
    await dialogue.expectAlike(
      'add-flow br0 priority=3,actions=controller(meter_id=5)',
      O13('add-flow br0 priority=4,actions=output:60000'),
      O13('add-flow br0 priority=5,actions=output:65279,enqueue:500:1'),
      O13('add-flow br0 priority=6,actions=goto_table:253'),
      O13('add-flow br0 priority=7,actions=goto_table:254'),
      O13('add-flow br0 priority=8,in_port=400,actions=resubmit(,254)'),
      O13(`packet-out br0 in_port=500,packet=${PACKET},actions=output:1`),
      '--no-stats dump-flows br0',
    )
  })
})

describe('groups', () => {
  const ADD = (group: string) => O15(`add-group br0 ${group}`)

  test('name others that are not there, and watch what they like', async () => {
    await dialogue.expectAlike(
      ADD('group_id=1,type=all,bucket=group:9'),
      ADD('group_id=2,type=all,bucket=group:1'),
      O15('mod-group br0 group_id=77,type=all'),
      O15('--may-create mod-group br0 group_id=78,type=all'),
      ADD('group_id=1,type=all'),
      ADD('group_id=3,type=ff,bucket=watch_port:77,output:1'),
      ADD('group_id=4,type=ff,bucket=watch_group:77,output:1'),
      ADD('group_id=6,type=indirect,bucket=output:1'),
      ADD('group_id=7,type=all,bucket=bucket_id:4294967040,output:1'),
      ADD('group_id=9,type=all,bucket=bucket_id:1,output:1,bucket=bucket_id:1,output:2'),
      ADD('group_id=4294967041,type=all,bucket=output:1'),
      ADD('group_id=9,type=select,selection_method=hash,fields(ip_src,nw_proto),bucket=output:1'),
      O15('dump-groups br0'),
      O15('dump-groups br0 4'),
    )
  })

  test('gain and lose buckets', async () => {
    await dialogue.expectAlike(
      ADD('group_id=1,type=all,bucket=bucket_id:1,output:1'),
      ADD('group_id=3,type=ff,bucket=watch_port:77,output:1'),
      ADD('group_id=6,type=indirect,bucket=output:1'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id:3,output:2'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id:3,output:2'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=9,bucket=bucket_id:4,output:2'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=1,bucket=bucket_id:4,output:3'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=first,bucket=bucket_id:6,group:2'),
      O15('insert-buckets br0 group_id=99,command_bucket_id=first,bucket=bucket_id:5,output:4'),
      O15('insert-buckets br0 group_id=6,command_bucket_id=first,bucket=bucket_id:5,output:4'),
      O15('insert-buckets br0 group_id=3,command_bucket_id=first,bucket=bucket_id:21,output:4'),
      O15('dump-groups br0'),
      O15('remove-buckets br0 group_id=1,command_bucket_id=33'),
      O15('remove-buckets br0 group_id=1,command_bucket_id=first'),
      O15('remove-buckets br0 group_id=1,command_bucket_id=last'),
      O15('dump-groups br0'),
      O15('remove-buckets br0 group_id=6,command_bucket_id=all'),
      O15('remove-buckets br0 group_id=1,command_bucket_id=all'),
      O15('remove-buckets br0 group_id=1,command_bucket_id=first'),
      O15('dump-groups br0'),
    )
  })

  test('count anew when they change, but for buckets that stay beside others', async () => {
    const frame = DATAGRAM
    await dialogue.expectAlike(
      ADD('group_id=1,type=all,bucket=bucket_id:1,output:2,bucket=bucket_id:2,output:3'),
      O15('add-flow br0 priority=1,actions=group:1'),
    )
    await dialogue.expectSentAlike(1, frame)
    await dialogue.expectSentAlike(1, frame)
    await dialogue.expectAlike(
      O15('dump-group-stats br0'),
      O15('insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id:3,output:4'),
      O15('dump-group-stats br0'),
    )
    await dialogue.expectSentAlike(1, frame)
    const counted = await dialogue.expectAlike(
      O15('remove-buckets br0 group_id=1,command_bucket_id=2'),
      O15('dump-group-stats br0'),
    )
    expect(counted).toContain(',packet_count=0,byte_count=0,bucket0:packet_count=3,')
    await dialogue.expectAlike(
      O15(
        'mod-group br0 group_id=1,type=ff,bucket=bucket_id:1,watch_port:2,output:2,bucket=watch_port:3,output:3',
      ),
      O15('dump-group-stats br0'),
    )
    await dialogue.expectSentAlike(1, frame)
    for (const version of [10, 11, 13, 15])
      await dialogue.expectAlike(`-O OpenFlow${version} dump-group-stats br0`)
  })

  test('take the flows that name them along', async () => {
    await dialogue.expectAlike(
      ADD('group_id=1,type=all,bucket=output:1'),
      ADD('group_id=2,type=all,bucket=group:1'),
      O15('add-flow br0 priority=1,actions=group:1'),
      O15('add-flow br0 priority=2,actions=group:2'),
      O15('add-flow br0 priority=3,actions=clone(group:1)'),
      O15('add-flow br0 priority=4,actions=write_actions(group:1)'),
      O15('dump-group-stats br0'),
      O15('del-groups br0 group_id=1'),
      O15('dump-group-stats br0'),
      O15('--no-stats dump-flows br0'),
      O15('del-groups br0 group_id=55'),
      O15('del-groups br0'),
    )
    expect(await dialogue.expectAlike(O15('--no-stats dump-flows br0'))).toBe('')
  })
})

test('meters take the flows that name them along', async () => {
  const answer = await dialogue.expectAlike(
    O13('add-meter br0 meter=1,kbps,band=type=drop,rate=10'),
    O13('add-meter br0 meter=1,kbps,band=type=drop,rate=10'),
    O13('add-meter br0 meter=6,pktps,band=type=drop,rate=2'),
    O13('mod-meter br0 meter=66,pktps,band=type=drop,rate=2'),
    O13('add-flow br0 priority=1,actions=meter:1,output:1'),
    O13('add-flow br0 priority=2,actions=meter:6,output:1'),
    O13('meter-stats br0'),
    O13('del-meter br0 meter=6'),
    O13('del-meter br0 meter=66'),
    O13('dump-meters br0'),
    O13('--no-stats dump-flows br0'),
  )
  expect(answer).toBe(' priority=1 actions=meter:1,output:1')
})

test('what was learned goes with the last flow that learns so', async () => {
  const learn = (table: number, cookie: number, more: string) =>
    `learn(table=${table},cookie=${cookie},${more}NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])`
  const DUMP = '--no-stats dump-flows br0'
  await dialogue.expectAlike(
    `add-flow br0 priority=1,in_port=1,actions=${learn(1, 5, 'delete_learned,')},${learn(2, 6, '')},output:2`,
    `add-flow br0 priority=2,in_port=1,udp,actions=${learn(1, 5, 'delete_learned,')},output:2`,
    'add-flow br0 table=1,cookie=7,priority=3,actions=drop',
  )
  await dialogue.expectSentAlike(1, DATAGRAM)
  await dialogue.expectAlike(
    'dump-flows br0 table=1',
    'mod-flows --strict br0 priority=1,in_port=1,actions=drop',
    DUMP,
  )
  const left = await dialogue.expectAlike('del-flows br0 in_port=1,udp', DUMP)
  expect(left.match(/table=1/g)).toHaveLength(1)
})

test('no more is learned than the limit, nor is what was learned changed then', async () => {
  const MATCH = 'NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]'
  const sentFrom = async (port: number, station: number) => {
    const frame = DATAGRAM.slice()
    frame.set([station], 11)
    await dialogue.expectSentAlike(port, frame)
    return dialogue.expectAlike('--no-stats dump-flows br0 table=1')
  }
  for (const more of ['', 'result_dst=NXM_NX_REG0[0],', 'delete_learned,']) {
    await dialogue.reset()
    await dialogue.expectAlike(
      `add-flow br0 actions=learn(table=1,cookie=5,limit=2,${more}${MATCH}),resubmit(,2)`,
      'add-flow br0 table=2,reg0=1/1,actions=2',
      'add-flow br0 table=2,reg0=0/1,actions=3',
    )
    for (const [port, station] of [
      [1, 1],
      [1, 2],
      [3, 2],
      [1, 3],
      [4, 1],
      [1, 1],
    ]) {
      await sentFrom(port!, station!)
    }
    await dialogue.expectAlike('del-flows br0 table=1,dl_dst=02:00:00:00:00:01')
    for (const station of [5, 3, 1]) {
      const learned = await sentFrom(1, station)
      expect(learned.match(/cookie=0x5/g)).toHaveLength(2)
    }
  }
})

describe('bundles', () => {
  const BUNDLE = (...lines: string[]) => O15(`bundle br0 - <<< ${lines.join(' ;; ')}`)
  const DUMP = [O15('--no-stats dump-flows br0'), O15('dump-groups br0'), O15('dump-group-stats br0')]

  test('hold groups and the flows that name them, and are done as a whole or not at all', async () => {
    await dialogue.expectAlike(
      BUNDLE(
        'group add group_id=1,type=all,bucket=output:1',
        'flow add priority=1,actions=group:1',
        'flow add priority=2,ip,actions=output:2',
      ),
      ...DUMP,
      BUNDLE(
        'flow add priority=3,actions=drop',
        'group add group_id=1,type=all,bucket=output:1',
        'flow add priority=4,actions=drop',
      ),
      BUNDLE(
        'group modify group_id=1,type=all,bucket=output:4',
        'group add group_id=2,type=all,bucket=output:3',
        'flow add priority=9,actions=group:11',
      ),
      ...DUMP,
      BUNDLE('flow delete', `packet-out in_port=1,packet=${PACKET},actions=group:77`),
      ...DUMP,
    )
  })

  test('send packets by the tables as they are at their place', async () => {
    await dialogue.expectAlike(
      BUNDLE(
        'flow add priority=5,in_port=1,actions=output:2',
        `packet-out in_port=1,packet=${PACKET},actions=TABLE`,
        'flow modify in_port=1,actions=output:3',
        'group add group_id=5,type=all,bucket=output:4',
        `packet-out in_port=1,packet=${PACKET},actions=TABLE,group:5`,
      ),
      O15('dump-flows br0'),
    )
    const sent = await dialogue.expectSentAlike(1, DATAGRAM)
    expect(sent.map((s) => s.slice(0, 2))).toEqual(['p2', 'p3', 'p3', 'p4'])
  })

  test('of groups by themselves', async () => {
    await dialogue.expectAlike(
      '-O OpenFlow14 --bundle add-groups br0 - <<< group_id=6,type=all,bucket=output:2 ;; group_id=7,type=all',
      '-O OpenFlow14 --bundle add-groups br0 - <<< group_id=8,type=all,bucket=output:2 ;; group_id=7,type=all',
      '-O OpenFlow14 --bundle del-groups br0 group_id=7',
      '-O OpenFlow14 --bundle mod-group br0 group_id=9,type=all',
      O15('--bundle insert-buckets br0 group_id=6,command_bucket_id=last,bucket=bucket_id:77,output:3'),
      '-O OpenFlow13 --bundle add-flow br0 priority=1,actions=group:6',
      '-O OpenFlow14 --bundle replace-flows br0 - <<< ip,actions=1 ;; tcp,actions=group:6',
      ...DUMP,
    )
  })
})
