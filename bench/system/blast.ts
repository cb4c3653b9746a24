/**
 * Sends small frames out of an interface as fast as they go and prints how long that took:
 * node blast.js NAMESPACE INTERFACE DESTINATION-MAC SOURCE-MAC COUNT
 */
import { CELL_STRIDE, PacketPool } from '../../engine/memory/packet-pool.ts'
import { PacketNetdev } from '../../engine/netdev/packet.ts'
import { mapMemory } from '../../engine/sys/memory.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { udpFrame } from '../support/frames.ts'

const [namespace, device, dst, src, count] = process.argv.slice(2)
const memory = mapMemory(4 * CELL_STRIDE)
const pool = new PacketPool(4, memory.bytes, memory.address)
const netdev = new PacketNetdev(pool, { name: 'blast', device, namespace: `/run/netns/${namespace}` })
const frame = udpFrame({
  dst: parseMac(dst) as number,
  src: parseMac(src) as number,
  from: 0x0a000001,
  to: 0x0a000002,
  srcPort: 4000,
  dstPort: 4001,
  size: 64,
})
const h = pool.fromBytes(frame)
const begin = process.hrtime.bigint()
for (let n = 0; n < Number(count); n++) {
  netdev.tx(h)
  if (n % 64 === 63) netdev.flush()
}
netdev.flush()
const seconds = Number(process.hrtime.bigint() - begin) / 1e9
netdev.close()
console.log(JSON.stringify({ sent: Number(count), seconds }))
