/**
 * Sends small UDP datagrams of many flows in turn out of an interface, as fast as they go, until it is ended:
 * node blast-flows.js NAMESPACE INTERFACE FLOWS RULES MASKS
 * Flow f goes to the destination of rule f modulo RULES from an address of its own; FLOWS 0 never repeats one.
 * It prints "warm" when every flow has been sent twice.
 */
import { CELL_STRIDE, PacketPool } from '../../engine/memory/packet-pool.ts'
import { PacketNetdev } from '../../engine/netdev/packet.ts'
import { mapMemory } from '../../engine/sys/memory.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { udpFrame } from '../support/frames.ts'
import { destination, PORT, source, sourcePort } from './rules.ts'

const CHECKSUM = 14 + 10
const SOURCE = 14 + 12
const DESTINATION = 14 + 16
const SOURCE_PORT = 14 + 20
/** Frames between two looks at whether to end. */
const BURSTS = 4096

const [namespace, device, ...numbers] = process.argv.slice(2)
const [flows, rules, masks] = numbers.map(Number)
const memory = mapMemory(4 * CELL_STRIDE)
const pool = new PacketPool(4, memory.bytes, memory.address)
const netdev = new PacketNetdev(pool, { name: 'blast', device, namespace: `/run/netns/${namespace}` })
const frame = udpFrame({
  dst: parseMac('02:00:00:00:00:02') as number,
  src: parseMac('02:00:00:00:00:01') as number,
  from: 0,
  to: 0,
  srcPort: 0,
  dstPort: PORT,
  size: 64,
})
const h = pool.fromBytes(frame)
const b = pool.u8
const o = pool.off[h]
/** Sum of the header's other words; that of a header without addresses is in its checksum. */
const rest = 0xffff - ((b[o + CHECKSUM] << 8) | b[o + CHECKSUM + 1])

function put32(at: number, value: number): void {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}

const targets = Uint32Array.from({ length: rules }, (_, i) => destination(i, masks))

function send(f: number): void {
  const from = source(f)
  const port = sourcePort(f)
  const to = targets[f % rules]
  put32(o + SOURCE, from)
  put32(o + DESTINATION, to)
  b[o + SOURCE_PORT] = port >>> 8
  b[o + SOURCE_PORT + 1] = port
  let sum = rest + (from >>> 16) + (from & 0xffff) + (to >>> 16) + (to & 0xffff)
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff)
  b[o + CHECKSUM] = ~sum >>> 8
  b[o + CHECKSUM + 1] = ~sum
  netdev.tx(h)
}

let ending = false
let warm = false
let next = 0
let sent = 0
process.on('SIGTERM', () => {
  ending = true
})

function round(): void {
  for (let n = 0; n < BURSTS; n++) {
    send(next)
    if (++next === flows) next = 0
    if (n % 64 === 63) netdev.flush()
  }
  netdev.flush()
  sent += BURSTS
  if (!warm && sent >= 2 * flows) {
    warm = true
    process.stdout.write('warm\n')
  }
  if (ending) netdev.close()
  else setImmediate(round)
}
round()
