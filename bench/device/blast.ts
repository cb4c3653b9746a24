/**
 * Sends 64-byte UDP frames of several flows in turn out of a host's interface, as fast as they go, for a while:
 * node blast.js NAMESPACE INTERFACE DESTINATION-MAC SOURCE-MAC DESTINATION FLOWS SECONDS [checksum]
 * Prints a line when every flow has been sent twice, and at the end `{"sent":…,"seconds":…}` from then on.
 */
import { CELL_STRIDE, PacketPool } from '../../engine/memory/packet-pool.ts'
import { PacketNetdev } from '../../engine/netdev/packet.ts'
import { mapMemory } from '../../engine/sys/memory.ts'
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { hostOf, INSIDE } from '../peers/peer.ts'
import { udpFrame } from '../support/frames.ts'

const SOURCE_PORT = 14 + 20
const DESTINATION_PORT = SOURCE_PORT + 2
/** Source ports a destination port is used with. */
const SOURCE_PORTS = 50_000
const FIRST_SOURCE_PORT = 10_000
const FIRST_DESTINATION_PORT = 5000
/** Frames between two calls of send(). */
const BATCH = 64
/** Frames between two looks at the clock. */
const ROUND = 4096

const [namespace, device, dst, src, to, ...numbers] = process.argv.slice(2)
const [flows, seconds] = numbers.map(Number) as [number, number]
const checksum = numbers[2] === 'checksum'
const memory = mapMemory(4 * CELL_STRIDE)
const pool = new PacketPool(4, memory.bytes, memory.address)
const netdev = new PacketNetdev(pool, {
  name: 'blast',
  device: device!,
  namespace: `/run/netns/${namespace}`,
})
// No UDP checksum unless asked for, so that ports can be changed and nothing else.
const frame = udpFrame({
  dst: parseMac(dst!) as number,
  src: parseMac(src!) as number,
  from: ipv4.parseIpv4(hostOf(namespace!, INSIDE).address) as number,
  to: ipv4.parseIpv4(to!) as number,
  srcPort: 0,
  dstPort: 0,
  size: 64,
})
if (checksum) {
  // Then it is one flow.
  udp.setSrcPort(frame, SOURCE_PORT, FIRST_SOURCE_PORT)
  udp.setDstPort(frame, SOURCE_PORT, FIRST_DESTINATION_PORT)
  const pseudo = pseudoHeader4(
    ipv4.src(frame, 14),
    ipv4.dst(frame, 14),
    ipv4.PROTO_UDP,
    frame.length - SOURCE_PORT,
  )
  udp.fillChecksum(frame, SOURCE_PORT, pseudo)
}
const h = pool.fromBytes(frame)
const b = pool.u8
const o = pool.off[h]!
let next = 0

function round(): void {
  for (let n = 1; n <= ROUND; n++) {
    const source = FIRST_SOURCE_PORT + (next % SOURCE_PORTS)
    const destination = FIRST_DESTINATION_PORT + Math.floor(next / SOURCE_PORTS)
    b[o + SOURCE_PORT] = source >>> 8
    b[o + SOURCE_PORT + 1] = source
    b[o + DESTINATION_PORT] = destination >>> 8
    b[o + DESTINATION_PORT + 1] = destination
    if (++next === flows) next = 0
    netdev.tx(h)
    if (n % BATCH === 0) netdev.flush()
  }
}

for (let sent = 0; sent < 2 * flows; sent += ROUND) round()
console.log('warm')
const begin = performance.now()
let sent = 0
while (performance.now() - begin < seconds * 1000) {
  round()
  sent += ROUND
}
const took = (performance.now() - begin) / 1000
netdev.close()
console.log(JSON.stringify({ sent, seconds: took }))
