/** Request-forward: another controller changed a group or a meter. */

import { u16, u32 } from '../wire/big-endian.ts'
import { fault, isFault } from './error.ts'
import type { GroupMod } from './group.ts'
import { GROUP_MOD_CODEC } from './group-mod.ts'
import type { BodyCodec } from './message-codec.ts'
import { formsOf } from './message-forms.ts'
import { identifyMessage, putHeader } from './message-header.ts'
import type { MeterMod } from './meter.ts'
import { METER_MOD_CODEC } from './meter.ts'

export type RequestForward = { xid: number } & (
  | { reason: 'group_mod'; groupMod: GroupMod }
  | { reason: 'meter_mod'; meterMod: MeterMod }
)

export const REQUESTFORWARD_CODEC: BodyCodec<RequestForward> = {
  decode(body) {
    const { b, o, end } = body
    const length = u16(b, o + 2)
    if (length < 8 || o + length > end) return fault('OFPBFC_MSG_BAD_LEN')
    const inner = identifyMessage(b.subarray(o, o + length))
    if (isFault(inner)) return inner
    if (inner.version !== body.version) return fault('OFPBRC_BAD_VERSION')
    const xid = u32(b, o + 4)
    if (inner.form.type === 'GROUP_MOD') {
      const groupMod = GROUP_MOD_CODEC.decode({ ...inner, tableIdExtension: false })
      return isFault(groupMod) ? groupMod : { xid, reason: 'group_mod', groupMod }
    }
    if (inner.form.type !== 'METER_MOD') return fault('OFPBRC_BAD_TYPE')
    const meterMod = METER_MOD_CODEC.decode({ ...inner, tableIdExtension: false })
    return isFault(meterMod) ? meterMod : { xid, reason: 'meter_mod', meterMod }
  },
  encode(w, forward, { version }) {
    const start = w.length
    const [form] = formsOf(forward.reason === 'group_mod' ? 'GROUP_MOD' : 'METER_MOD', version)
    if (form === undefined) return
    putHeader(w, version, form, forward.xid)
    if (forward.reason === 'group_mod') GROUP_MOD_CODEC.encode(w, forward.groupMod, { version, form })
    else METER_MOD_CODEC.encode(w, forward.meterMod, { version, form })
    w.patch16(start + 2, w.length - start)
  },
}
