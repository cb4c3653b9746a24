/** Buckets of groups: OpenFlow 1.1's with all in the header, 1.5's (and Nicira's for 1.0) with properties. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { OFPG_ANY } from './flow-mod.ts'
import { BUCKET_MAX, type GroupBucket, type GroupType } from './group.ts'
import { decodeActions, encodeActionList } from './instruction.ts'
import { OFPP_ANY, portFromOf11 } from './port.ts'
import { putBytesProperty, putU32Property, readProperty, unknownProperty } from './properties.ts'
import type { OfVersion } from './version.ts'

const LEN11 = 16
const LEN15 = 8
const WEIGHT = 0
const WATCH_PORT = 1
const WATCH_GROUP = 2

export function decodeBuckets11(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
): GroupBucket[] | OfFault {
  const buckets: GroupBucket[] = []
  while (o < end) {
    if (end - o < LEN11) return fault('OFPGMFC_BAD_BUCKET')
    const length = u16(b, o)
    if (length < LEN11 || o + length > end) return fault('OFPGMFC_BAD_BUCKET')
    const actions = decodeActions(b, o + LEN11, o + length, version)
    if (isFault(actions)) return actions
    const watchPort = portFromOf11(u32(b, o + 4))
    if (watchPort === undefined) return fault('OFPGMFC_BAD_WATCH')
    buckets.push({ id: buckets.length, weight: u16(b, o + 2), watchPort, watchGroup: u32(b, o + 8), actions })
    o += length
  }
  return buckets
}

export function putBucket11(w: ByteWriter, bucket: GroupBucket, version: OfVersion): void {
  const start = w.length
  w.u16(0).u16(bucket.weight).u32(bucket.watchPort).u32(bucket.watchGroup).u32(0)
  encodeActionList(w, bucket.actions, version)
  w.patch16(start, w.length - start)
}

function decodeBucket15(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  type: GroupType | undefined,
): GroupBucket | OfFault {
  const actionsEnd = o + LEN15 + u16(b, o + 2)
  if (actionsEnd > end) return fault('OFPGMFC_BAD_BUCKET')
  const actions = decodeActions(b, o + LEN15, actionsEnd, version)
  if (isFault(actions)) return actions
  let weight = type === 'select' ? 1 : 0
  let watchPort: number | undefined = OFPP_ANY
  let watchGroup = OFPG_ANY
  for (let at = actionsEnd; at < end; ) {
    const p = readProperty(b, at, end)
    if (isFault(p)) return p
    const known = p.experimenter === 0 && p.type <= WATCH_GROUP
    if (!known) return unknownProperty(p)
    const size = p.end - p.at
    if (p.type === WEIGHT ? size < 2 : size !== 4) return fault('OFPBPC_BAD_LEN')
    if (p.type === WEIGHT) weight = u16(b, p.at)
    else if (p.type === WATCH_PORT) watchPort = portFromOf11(u32(b, p.at))
    else watchGroup = u32(b, p.at)
    at = p.next
  }
  const id = u32(b, o + 4)
  if (watchPort === undefined) return fault('OFPGMFC_BAD_WATCH')
  if (id > BUCKET_MAX) return fault('OFPGMFC_BAD_BUCKET')
  return { id, weight, watchPort, watchGroup, actions }
}

export function decodeBuckets15(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  type: GroupType | undefined,
): GroupBucket[] | OfFault {
  const buckets: GroupBucket[] = []
  const ids = new Set<number>()
  while (o < end) {
    if (end - o < LEN15) return fault('OFPGMFC_BAD_BUCKET')
    const length = u16(b, o)
    if (length < LEN15 || o + length > end) return fault('OFPGMFC_BAD_BUCKET')
    const bucket = decodeBucket15(b, o, o + length, version, type)
    if (isFault(bucket)) return bucket
    if (ids.has(bucket.id)) return fault('OFPGMFC_BAD_BUCKET')
    ids.add(bucket.id)
    buckets.push(bucket)
    o += length
  }
  return buckets
}

export function putBucket15(w: ByteWriter, bucket: GroupBucket, type: GroupType, version: OfVersion): void {
  const start = w.length
  w.u16(0).u16(0).u32(bucket.id)
  encodeActionList(w, bucket.actions, version)
  w.patch16(start + 2, w.length - start - LEN15)
  if (type === 'select' || bucket.weight !== 0) {
    putBytesProperty(w, WEIGHT, Uint8Array.of(bucket.weight >>> 8, bucket.weight, 0, 0))
  }
  if (bucket.watchPort !== OFPP_ANY) putU32Property(w, WATCH_PORT, bucket.watchPort)
  if (bucket.watchGroup !== OFPG_ANY) putU32Property(w, WATCH_GROUP, bucket.watchGroup)
  w.patch16(start, w.length - start)
}
