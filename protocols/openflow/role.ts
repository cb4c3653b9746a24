/** Roles of controllers: requests, replies and status. */

import { u32 } from '../wire/big-endian.ts'
import { u64 } from './counters.ts'
import { fault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'

export type Role = 'nochange' | 'equal' | 'primary' | 'secondary'

export interface RoleRequest {
  role: Role
  /** Undefined: the version or form has none, or role is nochange or equal. */
  generationId: bigint | undefined
}

export interface RoleStatus {
  role: Role
  reason: 'primary_request' | 'config' | 'experimenter'
  generationId: bigint | undefined
}

const ROLES: readonly Role[] = ['nochange', 'equal', 'primary', 'secondary']
const REASONS: readonly RoleStatus['reason'][] = ['primary_request', 'config', 'experimenter']
const NO_GENERATION = 0xffff_ffff_ffff_ffffn

/** Requests and replies; Nicira's form has no generation id, no "nochange", and numbers one lower. */
export const ROLE_CODEC: BodyCodec<RoleRequest> = {
  decode({ b, o, form }) {
    const nicira = form.kind === 'NXT'
    const number = u32(b, o)
    const role = ROLES[nicira ? number + 1 : number]
    if (role === undefined) return fault('OFPRRFC_BAD_ROLE')
    if (nicira) return { role, generationId: undefined }
    const id = u64(b, o + 8)
    // A request always has an id if it wants to change anything; a reply has one if any was ever given.
    const none = form.type === 'ROLE_REQUEST' ? role === 'nochange' : id === NO_GENERATION
    return { role, generationId: none ? undefined : id }
  },
  encode(w, { role, generationId }, { form }) {
    const number = ROLES.indexOf(role)
    if (form.kind === 'NXT') w.u32(Math.max(0, number - 1))
    else {
      const absent = form.type === 'ROLE_REQUEST' ? 0n : NO_GENERATION
      w.u32(number)
        .u32(0)
        .u64(generationId ?? absent)
    }
  },
}

export const ROLE_STATUS_CODEC: BodyCodec<RoleStatus> = {
  decode({ b, o }) {
    const role = ROLES[u32(b, o)]
    if (role === undefined) return fault('OFPRRFC_BAD_ROLE')
    const reason = REASONS[b[o + 4]]
    if (reason === undefined) return fault('NXBRC_BAD_REASON')
    const id = u64(b, o + 8)
    return { role, reason, generationId: id === NO_GENERATION ? undefined : id }
  },
  encode(w, { role, reason, generationId }) {
    w.u32(ROLES.indexOf(role)).u8(REASONS.indexOf(reason)).zeros(3)
    w.u64(generationId ?? NO_GENERATION)
  },
}
