/**
 * The memory of a dataplane's packets. V8 collects garbage at once from whoever maps that much, which takes the longer
 * the more there is: it is imported before all else.
 */
import { CELL_STRIDE, PacketPool } from './memory/packet-pool.ts'
import { mapMemory } from './sys/memory.ts'

/** Packets alive at once; each takes 65 KiB of address space, and memory only as far as it is used. */
const CELLS = 2048

const memory = mapMemory(CELLS * CELL_STRIDE)

export const pool = new PacketPool(CELLS, memory.bytes, memory.address)
