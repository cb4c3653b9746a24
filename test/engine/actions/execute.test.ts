import { expect, test } from 'vitest'
import { type ExecutionHost, execute } from '../../../engine/actions/execute.ts'
import { formatProgram } from '../../../engine/actions/format.ts'
import * as ops from '../../../engine/actions/ops.ts'
import { MAX_PROGRAM, ProgramBuilder } from '../../../engine/actions/program-builder.ts'
import { DROP_ACTION, DROP_NO_CELLS, DROP_ROUTER_BAD_CHECKSUM } from '../../../engine/drops.ts'
import { extract } from '../../../engine/flow/extract.ts'
import { GSO_NONE, GSO_TCPV4, PacketPool } from '../../../engine/memory/packet-pool.ts'
import { KEY_WORDS } from '../../../protocols/flow-key.ts'
import { fromHex, splitTags } from '../../support/frames.ts'

/** Notes what a program does, in order. */
class Host implements ExecutionHost {
  readonly pool: PacketPool
  readonly log: string[] = []
  known = true
  constructor(cells = 4) {
    this.pool = new PacketPool(cells)
  }
  #what(h: number): string {
    return splitTags(this.pool.bytes(h))
      .tags.map((t) => t.vid)
      .join('.')
  }
  output(portNo: number, h: number): void {
    this.log.push(`out ${portNo} [${this.#what(h)}] ttl ${this.pool.u8[this.pool.l3[h] + 8]}`)
  }
  enqueue(portNo: number, queue: number): void {
    this.log.push(`out ${portNo} by queue ${queue}`)
  }
  drop(reason: number): void {
    this.log.push(`drop ${reason}`)
  }
  slow(reason: number, arg: number): void {
    this.log.push(`slow ${ops.SLOW_NAMES[reason]} ${arg}`)
  }
  track(connection: number, direction: number): boolean {
    this.log.push(`track ${connection} ${direction}`)
    return this.known
  }
  trackInZone(connection: number, direction: number): boolean {
    return this.track(connection, direction)
  }
  readonly ctOperations = {
    retrack: (id: number) => this.log.push(`retrack ${id}`),
    help: () => true,
    quoted: () => {},
    collect: () => {},
  }
  meter(slot: number): boolean {
    this.log.push(`meter ${slot}`)
    return this.known
  }
  controller(id: number): void {
    this.log.push(`controller ${id}`)
  }
  sample(code: Int32Array, pc: number): void {
    this.log.push(`sample ${code[pc + 1]}`)
  }
  recirculate(id: number): void {
    this.log.push(`recirc ${id}`)
  }
}

const ETH = '020000000002 020000000001 0800'
const ip = (ttl: string, sum: string) =>
  fromHex(`${ETH} 4500 001c 0000 0000 ${ttl} 01 ${sum} 0a000001 0a000002 0800 a5f0 1234 4000`)
const GOOD = ip('40', '66df')

function run(
  write: (p: ProgramBuilder) => void,
  frame = GOOD,
  host = new Host(),
  prepare?: (h: number) => void,
): string[] {
  const program = new ProgramBuilder()
  write(program)
  program.end()
  const h = host.pool.fromBytes(frame)
  extract(host.pool, h, 1, new Uint32Array(KEY_WORDS), 0)
  prepare?.(h)
  const free = host.pool.available
  execute(host, program.code, 0, h)
  expect(host.pool.available).toBe(free)
  return host.log
}

test('a copy is changed apart; the packet goes on as it was', () => {
  const log = run((p) => {
    p.op2(ops.OP_PUSH_VLAN, 0x8100, 10)
    const mark = p.beginClone()
    p.op(ops.OP_DEC_TTL)
    p.op2(ops.OP_PUSH_VLAN, 0x8100, 20)
    p.op1(ops.OP_OUTPUT, 1)
    p.endClone(mark)
    p.op1(ops.OP_OUTPUT, 2)
    p.op(ops.OP_POP_VLAN)
    p.op1(ops.OP_OUTPUT, 3)
  })
  expect(log).toEqual(['out 1 [20.10] ttl 63', 'out 2 [10] ttl 64', 'out 3 [] ttl 64'])
})

test('a check that fails in a copy ends the copy only', () => {
  const log = run((p) => {
    const mark = p.beginClone()
    p.op2(ops.OP_CHECK_MTU, 20, 5)
    p.op1(ops.OP_OUTPUT, 1)
    p.endClone(mark)
    p.op1(ops.OP_OUTPUT, 2)
  })
  expect(log).toEqual(['slow too-big 5', 'out 2 [] ttl 64'])
})

test('without a cell for a copy its part is a counted drop', () => {
  const log = run(
    (p) => {
      const mark = p.beginClone()
      p.op1(ops.OP_OUTPUT, 1)
      p.endClone(mark)
      p.op1(ops.OP_OUTPUT, 2)
    },
    GOOD,
    new Host(1),
  )
  expect(log).toEqual([`drop ${DROP_NO_CELLS}`, 'out 2 [] ttl 64'])
})

test.each<[string, (p: ProgramBuilder) => void, Uint8Array, string[]]>([
  ['right checksum', (p) => p.op1(ops.OP_CHECK_IP, 1), GOOD, ['out 9 [] ttl 64']],
  [
    'wrong checksum',
    (p) => p.op1(ops.OP_CHECK_IP, 1),
    ip('40', '66d0'),
    [`drop ${DROP_ROUTER_BAD_CHECKSUM}`],
  ],
  ['TTL 2', (p) => p.op1(ops.OP_CHECK_TTL, 1), ip('02', 'a4df'), ['out 9 [] ttl 2']],
  ['TTL 1', (p) => p.op1(ops.OP_CHECK_TTL, 7), ip('01', 'a5df'), ['slow ttl-expired 7']],
  ['TTL 0', (p) => p.op1(ops.OP_CHECK_TTL, 7), ip('00', 'a6df'), ['slow ttl-expired 7']],
  ['fits the MTU', (p) => p.op2(ops.OP_CHECK_MTU, 28, 7), GOOD, ['out 9 [] ttl 64']],
  ['a byte too long', (p) => p.op2(ops.OP_CHECK_MTU, 27, 7), GOOD, ['slow too-big 7']],
  [
    'a drop goes on',
    (p) => p.op1(ops.OP_DROP, DROP_ACTION),
    GOOD,
    [`drop ${DROP_ACTION}`, 'out 9 [] ttl 64'],
  ],
  [
    'slow path goes on',
    (p) => p.op2(ops.OP_SLOW, ops.SLOW_LOCAL, 3),
    GOOD,
    ['slow local 3', 'out 9 [] ttl 64'],
  ],
  ['tracked', (p) => p.op3(ops.OP_CT, 4, 1, 6), GOOD, ['track 4 1', 'out 9 [] ttl 64']],
])('%s', (_name, write, frame, expected) => {
  const log = run((p) => {
    write(p)
    p.op1(ops.OP_OUTPUT, 9)
  }, frame)
  expect(log).toEqual(expected)
})

test('a connection that wants another decision sends the packet there', () => {
  const host = new Host()
  host.known = false
  const log = run(
    (p) => {
      p.op3(ops.OP_CT, 4, 0, 6)
      p.op1(ops.OP_OUTPUT, 9)
    },
    GOOD,
    host,
  )
  expect(log).toEqual(['track 4 0', 'slow retranslate 6'])
})

test.each([
  [GSO_NONE, 0, 'slow too-big 7'],
  [GSO_TCPV4, 60, 'out 9 [] ttl 64'],
  [GSO_TCPV4, 61, 'slow too-big 7'],
])('of a frame of GSO type %i and segments of %i bytes the segments must fit', (type, size, expected) => {
  const host = new Host()
  const payload = '00'.repeat(500)
  const frame = fromHex(
    `${ETH} 4500 021c 0000 0000 40 06 0000 0a000001 0a000002 0050 0050 0000 0000 0000 0000 5010 0000 0000 0000 ${payload}`,
  )
  const log = run(
    (p) => {
      p.op2(ops.OP_CHECK_MTU, 100, 7)
      p.op1(ops.OP_OUTPUT, 9)
    },
    frame,
    host,
    (h) => {
      host.pool.gsoType[h] = type
      host.pool.gsoSize[h] = size
    },
  )
  expect(log).toEqual([expected])
})

test('a program that does not fit ends at its last whole operation, a copy counting as one', () => {
  for (let fill = MAX_PROGRAM - 30; fill < MAX_PROGRAM; fill++) {
    const host = new Host()
    const log = run(
      (p) => {
        while (p.length < fill && !p.overflow) p.op(ops.OP_DEC_TTL)
        const mark = p.beginClone()
        p.op3(ops.OP_SET_ETH, 1, 2, 3)
        p.op1(ops.OP_OUTPUT, 1)
        p.op2(ops.OP_PUSH_VLAN, 0x8100, 10)
        p.op1(ops.OP_OUTPUT, 2)
        p.endClone(mark)
        const copied = !p.overflow
        p.op3(ops.OP_SET_ETH, 1, 2, 3)
        p.op1(ops.OP_OUTPUT, 3)
        host.log.push(`${copied} ${!p.overflow}`)
      },
      GOOD,
      host,
    )
    const [first, ...rest] = log
    const outputs = rest.map((line) => line.slice(0, 5))
    const [copied, whole] = first.split(' ').map((t) => t === 'true')
    expect(outputs).toEqual([...(copied ? ['out 1', 'out 2'] : []), ...(whole ? ['out 3'] : [])])
  }
})

test('what was to be a copy can be done to the packet itself, or be nothing', () => {
  const log = run((p) => {
    const first = p.beginClone()
    p.op1(ops.OP_OUTPUT, 1)
    p.undoClone(first)
    p.undoClone(p.beginClone())
    p.op1(ops.OP_OUTPUT, 2)
    expect(p.length).toBe(4)
  })
  expect(log).toEqual(['out 1 [] ttl 64', 'out 2 [] ttl 64'])
})

test('programs read as ovs-dpctl shows actions', () => {
  const p = new ProgramBuilder()
  p.op3(ops.OP_SET_ETH, 0x02000000, 0x0002_0200, 0x00000001)
  p.op1(ops.OP_SET_NW_SRC, 0xc0a8640b | 0)
  p.op1(ops.OP_SET_NW_DST, 0x0a000001)
  p.op1(ops.OP_SET_TP_SRC, 5)
  p.op2(ops.OP_PUSH_VLAN, 0x8100, 0x600a)
  p.op2(ops.OP_PUSH_VLAN, 0x88a8, 20)
  p.op1(ops.OP_SET_VLAN, 30)
  p.op(ops.OP_POP_VLAN)
  const mark = p.beginClone()
  p.op2(ops.OP_CHECK_MTU, 1500, 2)
  p.op3(ops.OP_CT, 4, 1, 6)
  p.op(ops.OP_DEC_TTL)
  p.op1(ops.OP_OUTPUT, 1)
  p.endClone(mark)
  p.op2(ops.OP_SLOW, ops.SLOW_ARP, 3)
  p.op1(ops.OP_DROP, DROP_ACTION)
  p.end()
  expect(formatProgram(p.code, 0, (n) => `p${n}`)).toBe(
    'set(eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)),set(ipv4(src=192.168.100.11)),' +
      'set(ipv4(dst=10.0.0.1)),set(tp(src=5)),push_vlan(vid=10,pcp=3),push_vlan(tpid=0x88a8,vid=20,pcp=0),' +
      'set(vlan(vid=30,pcp=0)),pop_vlan,clone(check_pkt_len(1500),ct(connection=4,direction=reply),dec_ttl,p1),' +
      'userspace(arp),drop(action-drop)',
  )
  p.reset()
  p.end()
  expect(formatProgram(p.code, 0, String)).toBe('drop')
})
