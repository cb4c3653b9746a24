/** The real ovs-ofctl against a switch of canned answers: each command, in each version, is satisfied with it. */

import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeMessage } from '../../../protocols/openflow/message.ts'
import { FakeOpenflowSwitch } from '../../support/fake-openflow-switch.ts'
import { samplePort } from '../../support/openflow-samples.ts'

const run = promisify(execFile)
let fake: FakeOpenflowSwitch

beforeEach(async () => {
  fake = await FakeOpenflowSwitch.start()
})
afterEach(async () => {
  await fake.stop()
})

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

async function ofctl(version: number, ...args: string[]): Promise<Outcome> {
  const all = ['--timeout=10', '-O', `OpenFlow1${version - 1}`, '--no-names', ...args]
  try {
    return { code: 0, ...(await run('ovs-ofctl', all)) }
  } catch (e) {
    const { code, stdout, stderr } = e as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

const DONE = { code: 0, stderr: '' }
const ALL = [1, 2, 3, 4, 5, 6]
const SINCE_13 = [4, 5, 6]

/** Command, its arguments, versions, and what must stand in its output. */
const COMMANDS: readonly (readonly [string, readonly string[], readonly number[], RegExp])[] = [
  ['show', [], ALL, /veth7/],
  ['dump-desc', [], ALL, /Manufacturer: Nicira, Inc\./],
  ['dump-tables', [], ALL, /table 2/],
  ['dump-table-features', [], SINCE_13, /arbitrary mask: ip_dst/],
  ['dump-table-desc', [], [5, 6], /vacancy_up=90%/],
  ['dump-flows', [], ALL, /priority=1500,ip,in_port=3/],
  ['dump-aggregate', ['ip'], ALL, /flow_count=2/],
  ['dump-ports', [], ALL, /rx pkts=100, bytes=102/],
  ['dump-ports-desc', [], ALL, /7\(veth7\): addr:02:00:00:00:00:09/],
  ['queue-stats', [], ALL, /port 7 queue 3: bytes=1/],
  ['queue-get-config', ['7'], ALL, /queue 55: min_rate:50\.0%/],
  ['dump-groups', [], ALL, /group_id=1234,type=select/],
  ['dump-group-stats', [], ALL, /bucket1:packet_count=6/],
  ['dump-group-features', [], [1, 2, 3, 4, 5, 6], /max_groups=0x64/],
  ['dump-meters', [], SINCE_13, /meter=5 kbps burst/],
  ['meter-stats', [], SINCE_13, /meter:5 flow_count:2/],
  ['meter-features', [], SINCE_13, /max_meter:100/],
  ['get-frags', [], ALL, /normal/],
  ['dump-tlv-map', [], ALL, /tun_metadata5/],
  ['dump-ipfix-bridge', [], ALL, /sampled pkts=3/],
  ['dump-ipfix-flow', [], ALL, /id {3}2/],
]

describe('ovs-ofctl is satisfied', () => {
  const cases = COMMANDS.flatMap(([command, args, versions, expected]) =>
    versions.map((v) => [command, v - 1, args, v, expected] as const),
  )
  test.each(cases)('with %s in 1.%d', async (command, _, args, version, expected) => {
    const { code, stdout, stderr } = await ofctl(version, command, fake.target, ...args)
    expect(stderr).toBe('')
    expect(stdout).toMatch(expected)
    expect(stdout).not.toMatch(/\*\*\*|decode error/)
    expect(code).toBe(0)
    expect(fake.closed).toEqual([])
  })
})

describe('what ovs-ofctl sends is understood', () => {
  test.each(ALL)('flow-mods in version byte %d', async (version) => {
    const add = await ofctl(
      version,
      'add-flow',
      fake.target,
      'cookie=0x5,priority=7,idle_timeout=3,ip,nw_src=10.0.0.0/8,actions=output:4',
    )
    expect(add).toMatchObject(DONE)
    const removal = await ofctl(version, 'del-flows', fake.target, 'cookie=0x5/-1,tcp')
    expect(removal).toMatchObject(DONE)
    const [added, removed] = fake.receivedOf('FLOW_MOD')
    expect(added).toMatchObject({ command: 'add', priority: 7, idleTimeout: 3, newCookie: 5n })
    expect(added.actions).toEqual([{ type: 'output', port: 4, maxLen: 0 }])
    expect(removed).toMatchObject({ command: 'delete', cookie: 5n, cookieMask: 0xffff_ffff_ffff_ffffn })
  })

  test.each(ALL)('groups and their buckets in version byte %d', async (version) => {
    const group = 'group_id=7,type=select,bucket=weight:5,actions=output:1,bucket=weight:6,actions=output:2'
    expect(await ofctl(version, 'add-group', fake.target, group)).toMatchObject(DONE)
    expect(await ofctl(version, 'del-groups', fake.target, 'group_id=7')).toMatchObject(DONE)
    const [added, removed] = fake.receivedOf('GROUP_MOD')
    expect(added).toMatchObject({ command: 'add', groupType: 'select', group: 7 })
    expect(added.buckets.map((b) => b.weight)).toEqual([5, 6])
    expect(removed).toMatchObject({ command: 'delete', group: 7 })
  })

  test('buckets are inserted and removed one by one in 1.5', async () => {
    const inserted = 'group_id=7,command_bucket_id=first,bucket=bucket_id:9,actions=output:1'
    expect(await ofctl(6, 'insert-buckets', fake.target, inserted)).toMatchObject(DONE)
    expect(await ofctl(6, 'remove-buckets', fake.target, 'group_id=7,command_bucket_id=9')).toMatchObject({
      code: 0,
      stderr: '',
    })
    const [insert, remove] = fake.receivedOf('GROUP_MOD')
    expect(insert).toMatchObject({ command: 'insert_bucket', commandBucketId: 0xffff_fffd })
    expect(remove).toMatchObject({ command: 'remove_bucket', commandBucketId: 9, buckets: [] })
  })

  test.each(SINCE_13)('meters in version byte %d', async (version) => {
    const meter = 'meter=3,kbps,burst,band=type=drop,rate=100,burst_size=10'
    expect(await ofctl(version, 'add-meter', fake.target, meter)).toMatchObject(DONE)
    expect(fake.receivedOf('METER_MOD')).toEqual([
      { command: 'add', meter: 3, flags: 5, bands: [{ type: 'drop', rate: 100, burst: 10, precLevel: 0 }] },
    ])
  })

  test.each(ALL)('packet-outs in version byte %d', async (version) => {
    const text = 'in_port=2,packet=0102030405060708090a0b0c0d0e,actions=output:3'
    expect(await ofctl(version, 'packet-out', fake.target, text)).toMatchObject(DONE)
    const [out] = fake.receivedOf('PACKET_OUT')
    expect(out.packet).toHaveLength(14)
    expect(out.actions).toEqual([{ type: 'output', port: 3, maxLen: 0 }])
  })

  test.each(SINCE_13)('bundles in version byte %d', async (version) => {
    expect(await ofctl(version, '--bundle', 'add-flow', fake.target, 'actions=drop')).toMatchObject(DONE)
    const [open, ...rest] = fake.receivedOf('BUNDLE_CONTROL')
    expect(open).toMatchObject({ control: 'open_request', flags: 3 })
    expect(rest.at(-1)).toMatchObject({ bundle: open.bundle, control: 'commit_request' })
    const [added] = fake.receivedOf('BUNDLE_ADD_MESSAGE')
    expect(added.bundle).toBe(open.bundle)
    expect(decodeMessage(added.message)).toMatchObject({ type: 'FLOW_MOD', version })
  })

  test.each(ALL)('port-mods in version byte %d', async (version) => {
    await ofctl(version, 'mod-port', fake.target, '7', 'no-forward')
    expect(fake.receivedOf('PORT_MOD')).toEqual([
      { port: 7, hwAddr: samplePort.hwAddr, config: 0x20, mask: 0x20, advertise: 0 },
    ])
  })

  test.each(ALL)('set-frags in version byte %d', async (version) => {
    await ofctl(version, 'set-frags', fake.target, 'drop')
    expect(fake.receivedOf('SET_CONFIG')).toMatchObject([{ frag: 'drop', missSendLen: 128 }])
  })

  // Without flexible matches, as in 1.1, there is nothing to map to.
  test.each([1, 3, 4, 5, 6])('TLV mappings in version byte %d', async (version) => {
    const mapping = '{class=0xffff,type=0,len=4}->tun_metadata0'
    expect(await ofctl(version, 'add-tlv-map', fake.target, mapping)).toMatchObject(DONE)
    expect(await ofctl(version, 'del-tlv-map', fake.target)).toMatchObject(DONE)
    expect(fake.receivedOf('NXT_TLV_TABLE_MOD')).toEqual([
      { command: 'add', maps: [{ optionClass: 0xffff, optionType: 0, optionLength: 4, index: 0 }] },
      { command: 'clear', maps: [] },
    ])
  })

  test.each(ALL)('connections to flush in version byte %d', async (version) => {
    expect(await ofctl(version, 'ct-flush-zone', fake.target, '5')).toMatchObject(DONE)
    const tuple = 'ct_nw_src=10.1.1.1,ct_nw_proto=6,ct_tp_dst=80'
    expect(await ofctl(version, 'ct-flush', fake.target, 'zone=5', tuple)).toMatchObject(DONE)
    expect(fake.receivedOf('CT_FLUSH_ZONE')).toEqual([5])
    expect(fake.receivedOf('CT_FLUSH')).toEqual([
      {
        ipProto: 6,
        family: 2,
        zone: 5,
        original: { src: Uint8Array.of(10, 1, 1, 1), dstPort: 80 },
        reply: {},
      },
    ])
  })

  test.each(ALL)('monitor in version byte %d gets what it watches', async (version) => {
    const child = spawn(
      'ovs-ofctl',
      [
        '-O',
        `OpenFlow1${version - 1}`,
        `--unixctl=${fake.path}.ctl`,
        'monitor',
        fake.target,
        '65534',
        'watch:',
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    try {
      let text = ''
      await new Promise<void>((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`ovs-ofctl ended with ${code}: ${text}`)))
        const read = (d: Buffer): void => {
          text += d
          if (/event=ABBREV xid=0x12345678/.test(text)) resolve()
        }
        child.stdout.on('data', read)
        child.stderr.on('data', read)
      })
      expect(text).toMatch(/event=ADDED table=3 idle_timeout=10 hard_timeout=20 cookie=0xabc/)
      expect(text).not.toMatch(/\*\*\*|decode error/)
    } finally {
      child.removeAllListeners('exit')
      child.kill()
    }
  })
})

test('a client that speaks no version of ours is told so', async () => {
  const only13 = await FakeOpenflowSwitch.start(1 << 4)
  try {
    const failure = await run('ovs-ofctl', ['-O', 'OpenFlow10', 'show', only13.target]).catch((e) => e)
    expect(failure.stderr).toMatch(/no common versions|version negotiation failed/)
    expect(only13.closed).toEqual(['version negotiation failed'])
  } finally {
    await only13.stop()
  }
})
