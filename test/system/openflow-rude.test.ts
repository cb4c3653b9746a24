/** What clients that break the rules of OpenFlow get, while the traffic of others goes on. */
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../../protocols/random.ts'
import { OpenflowNetwork } from '../support/openflow-network.ts'
import { until } from '../support/until.ts'

const HELLO = 0
const ERROR = 1
const ECHO_REQUEST = 2
const EXPERIMENTER = 4
const FLOW_MOD13 = 14
const MULTIPART_REQUEST13 = 18
const BARRIER_REQUEST13 = 20
const BARRIER_REPLY13 = 21
const OF13 = 4

let network: OpenflowNetwork
let controllerPath: string
const open = new Set<Socket>()

beforeAll(async () => {
  network = await OpenflowNetwork.create(async (world) => {
    controllerPath = join(world.dir, 'controller')
    return {
      bridge: {
        controllers: [{ target: `unix:${controllerPath}`, inactivityProbe: 1000, maxBackoff: 1000 }],
      },
    }
  })
})
beforeEach(() => network.flows(['priority=9,icmp,actions=normal']))
afterEach(() => {
  for (const socket of open) socket.destroy()
  open.clear()
})
afterAll(() => network.close())

function message(
  type: number,
  body: string | Uint8Array = '',
  { version = OF13, xid = 7, length = 0 } = {},
): Buffer {
  const payload = typeof body === 'string' ? Buffer.from(body.replaceAll(' ', ''), 'hex') : Buffer.from(body)
  const header = Buffer.alloc(8)
  header.set([version, type])
  header.writeUInt16BE(length || 8 + payload.length, 2)
  header.writeUInt32BE(xid, 4)
  return Buffer.concat([header, payload])
}

/** A client of the bridge's management socket that writes what it likes. */
class Client {
  readonly socket: Socket
  readonly closed: Promise<void>
  #received = Buffer.alloc(0)

  constructor() {
    this.socket = connect(network.world.path('/run/openvswitch/br0.mgmt'))
    open.add(this.socket)
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    // A switch that has closed answers what is still written by a reset.
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  /** Messages of the switch so far. */
  get messages(): Buffer[] {
    const messages: Buffer[] = []
    for (let at = 0; at + 8 <= this.#received.length; ) {
      const end = at + this.#received.readUInt16BE(at + 2)
      if (end > this.#received.length) break
      messages.push(this.#received.subarray(at, end))
      at = end
    }
    return messages
  }

  write(...messages: Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  /** Sends messages of OpenFlow 1.3 and gives the errors that answer them: [type, code] by xid. */
  async errorsOf(...messages: Buffer[]): Promise<[number, number, number][]> {
    this.write(message(HELLO), ...messages, message(BARRIER_REQUEST13, '', { xid: 0xffff }))
    await until(() => this.messages.some((m) => m[1] === BARRIER_REPLY13), 'the barrier is answered', 5_000)
    return this.messages
      .filter((m) => m[1] === ERROR)
      .map((m) => [m.readUInt32BE(4), m.readUInt16BE(8), m.readUInt16BE(10)])
  }
}

/** Resident bytes of the daemon. */
async function memory(): Promise<number> {
  const status = await network.world.ok(['cat', `/proc/${await daemonPid()}/status`])
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024
}

/** The daemon's process id inside the world. */
async function daemonPid(): Promise<string> {
  return (await network.world.ok(['pgrep', '-of', 'vswitchd-ts\\.js start'])).trim()
}

test('faulty messages are answered by the errors of the specification, each with its xid', async () => {
  const oxm = (bytes: string) =>
    `0001 ${(bytes.replaceAll(' ', '').length / 2 + 4).toString(16).padStart(4, '0')} ${bytes}`
  const flowMod = (match: string, instructions = '', table = '00') =>
    `${'00'.repeat(16)} ${table} 00 0000 0000 0001 ffffffff ffffffff ffffffff 0000 0000 ${match} ${instructions}`
  const any = '0001 0004 00000000'
  const errors = await new Client().errorsOf(
    message(99, '', { xid: 1 }),
    message(EXPERIMENTER, '00abcdef 00000001', { xid: 2 }),
    message(EXPERIMENTER, '00002320 0000ffff', { xid: 3 }),
    message(MULTIPART_REQUEST13, '00ee 0000 00000000', { xid: 4 }),
    message(MULTIPART_REQUEST13, 'ffff 0000 00000000 00abcdef 00000000', { xid: 5 }),
    message(BARRIER_REQUEST13, '00', { xid: 6 }),
    message(FLOW_MOD13, '00', { xid: 7 }),
    // A match on a TCP port without saying that it is TCP.
    message(
      FLOW_MOD13,
      flowMod(`${oxm('80001c02 0050')} 0000 00000000`.replace(' 0000 00000000', ' 000000000000')),
      { xid: 8 },
    ),
    // A field that nobody knows.
    message(FLOW_MOD13, flowMod(`${oxm('8000fc02 0050')} 000000000000`), { xid: 9 }),
    // Instruction 99.
    message(FLOW_MOD13, flowMod(any, '0063 0008 00000000'), { xid: 10 }),
    // Write actions of action 99, and of output to any port.
    message(FLOW_MOD13, flowMod(any, '0004 0010 00000000 0063 0008 00000000'), { xid: 11 }),
    message(FLOW_MOD13, flowMod(any, '0004 0018 00000000 0000 0010 ffffffff 0000 000000000000'), { xid: 12 }),
    // Goto table 3 from table 5.
    message(FLOW_MOD13, flowMod(any, '0001 0008 03 000000', '05'), { xid: 13 }),
  )
  expect(errors).toEqual([
    [1, 1, 1], // OFPBRC_BAD_TYPE
    [2, 1, 3], // OFPBRC_BAD_EXPERIMENTER
    [3, 1, 4], // OFPBRC_BAD_EXP_TYPE
    [4, 1, 2], // OFPBRC_BAD_MULTIPART
    [5, 1, 3], // OFPBRC_BAD_EXPERIMENTER
    [6, 1, 6], // OFPBRC_BAD_LEN
    [7, 1, 6], // OFPBRC_BAD_LEN
    [8, 4, 9], // OFPBMC_BAD_PREREQ
    [9, 4, 6], // OFPBMC_BAD_FIELD
    [10, 3, 0], // OFPBIC_UNKNOWN_INST
    [11, 2, 0], // OFPBAC_BAD_TYPE
    [12, 2, 4], // OFPBAC_BAD_OUT_PORT
    [13, 3, 2], // OFPBIC_BAD_TABLE_ID
  ])
})

test('a version that nobody speaks is refused, a message of another version too', async () => {
  const old = new Client()
  // A bitmap of version 7 alone.
  old.write(message(HELLO, '0001 0008 00000080'))
  await old.closed
  const refusal = old.messages.find((m) => m[1] === ERROR)!
  expect([refusal.readUInt16BE(8), refusal.readUInt16BE(10)]).toEqual([0, 0]) // OFPHFC_INCOMPATIBLE
  const mixed = new Client()
  mixed.write(message(HELLO), message(BARRIER_REQUEST13, '', { version: 1, xid: 3 }))
  await mixed.closed
  const wrong = mixed.messages.filter((m) => m[1] === ERROR)
  expect(wrong.map((m) => [m.readUInt32BE(4), m.readUInt16BE(8), m.readUInt16BE(10)])).toEqual([[3, 1, 0]]) // OFPBRC_BAD_VERSION
})

test('noise, half messages and impossible lengths end their own connection and nothing else', async () => {
  const random = seededRandom(20)
  const below = (n: number) => random() % n
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => below(256))
  const pings = network.ping(1, 2, 200)
  const clients: Client[] = []
  for (let i = 0; i < 150; i++) {
    const client = new Client()
    clients.push(client)
    // Pure noise; noise after a greeting; noise in messages with true headers; a length below the header's.
    if (i % 4 === 0) client.write(bytes(1 + below(3000)))
    else if (i % 4 === 1) client.write(message(HELLO), bytes(1 + below(3000)))
    else if (i % 4 === 2) {
      client.write(message(HELLO))
      for (let n = 0; n < 20; n++) client.write(message(below(36), bytes(below(200)), { xid: n }))
    } else client.write(message(HELLO), message(ECHO_REQUEST, '', { length: 1 + below(7) }))
    client.socket.end()
  }
  await Promise.all(clients.map((client) => client.closed))
  // One begins a message and does not end it.
  const half = new Client()
  half.write(message(HELLO), message(ECHO_REQUEST, '00', { length: 0xffff }))
  expect(await network.ping(3, 2)).toBe(1)
  expect(await network.ofctl('show', 'br0')).toContain('1(vm1.eth0)')
  expect(await pings).toBe(200)
  expect(network.daemon.running).toBe(true)
})

test('who asks and never reads the answers is no burden', async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `table=9,priority=${i},actions=drop`)
  await network.ofctlInput(lines.join('\n'), 'add-flows', 'br0', '-')
  const before = await memory()
  const deaf = new Client()
  deaf.socket.pause()
  const dump = message(
    MULTIPART_REQUEST13,
    `0001 0000 00000000 ff 000000 ffffffff ffffffff 00000000 ${'00'.repeat(16)} 0001 0004 00000000`,
  )
  deaf.write(message(HELLO), ...Array.from({ length: 20_000 }, () => dump))
  expect(await network.ping(1, 2, 100)).toBe(100)
  expect(await network.ofctl('dump-aggregate', 'br0')).toContain('flow_count=2001')
  expect((await memory()) - before).toBeLessThan(200 << 20)
})

test('a controller that never reads is given up after its probe, and may come back', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    open.add(socket)
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write(message(HELLO))
    socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(controllerPath, resolve))
  try {
    await until(() => sockets.length > 0, 'the switch connects')
    await until(() => sockets.length > 1, 'the switch gives it up and tries again')
    expect(await network.ping(1, 2, 10)).toBe(10)
  } finally {
    server.close()
  }
})

test('a flood of flow-mods loses no ping', async () => {
  const lines: string[] = []
  for (let i = 0; i < 20_000; i++)
    lines.push(`table=1,ip,nw_dst=10.${i >> 16}.${(i >> 8) & 255}.${i & 255},actions=drop`)
  const file = await network.world.file('many', `${lines.join('\n')}\n`)
  const flood = network.world.spawn(['bash', '-c', `ovs-ofctl add-flows br0 ${file}`])
  const ping = network.world.spawn(['ping', '-n', '-i', '0.01', '-W', '5', '10.0.0.2'], { netns: 'vm1' })
  expect(await flood.exited).toBe(0)
  await ping.stop('SIGINT')
  expect(ping.stdout).toMatch(/ 0% packet loss/)
  console.info(`while 20,000 flows were added: ${ping.stdout.trim().split('\n').slice(-2).join('; ')}`)
  expect(await network.ofctl('dump-aggregate', 'br0', 'table=1')).toContain('flow_count=20000')
  await network.ofctl('del-flows', 'br0', 'table=1')
})

test('resubmits and groups that lead in circles end at the limits, and others are forwarded meanwhile', async () => {
  await network.flows([
    'priority=9,icmp,actions=normal',
    'priority=8,udp,tp_dst=7,actions=resubmit(,0)',
    'priority=8,udp,tp_dst=8,actions=resubmit(,1),resubmit(,1)',
    'table=1,actions=resubmit(,2),resubmit(,2)',
    'table=2,actions=resubmit(,1),resubmit(,1)',
  ])
  const send = (port: number) =>
    network.world.sh(`for i in 1 2 3; do echo x > /dev/udp/10.0.0.2/${port}; done`, { netns: 'vm1' })
  const pings = network.ping(1, 3, 100)
  await send(7)
  await send(8)
  expect(await pings).toBe(100)
  expect(await network.ofctl('dump-flows', 'br0', 'udp,tp_dst=7')).toMatch(/n_packets=[1-9]/)
  // A group must not lead to itself, directly or by others (OFPGMFC_LOOP).
  const o13 = (...args: string[]) => network.tryOfctl('-O', 'OpenFlow13', ...args)
  expect((await o13('add-group', 'br0', 'group_id=1,type=all,bucket=actions=output:1')).code).toBe(0)
  expect((await o13('add-group', 'br0', 'group_id=2,type=all,bucket=actions=group:1')).code).toBe(0)
  expect((await o13('mod-group', 'br0', 'group_id=1,type=all,bucket=actions=group:2')).stderr).toContain(
    'OFPGMFC_LOOP',
  )
  expect((await o13('del-groups', 'br0')).code).toBe(0)
})
