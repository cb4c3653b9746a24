/**
 * Actions and instructions in a neutral form that no OpenFlow version owns, named after ovs-actions(7). A rule
 * has one list: what stands in an apply-actions instruction is listed plainly, the other instructions are
 * elements of it (write_actions, clear_actions, write_metadata, goto_table, meter), in the order in which
 * OpenFlow carries them out. Codecs per version are in action-decode.ts and action-encode.ts, text in text/.
 *
 * All values survive structuredClone, so that a list can cross to the worker.
 */

import type { FieldId } from '../meta-flow.ts'

/** Bits `ofs` to `ofs + nBits - 1` of a field, 0 being the least significant. */
export interface Subfield {
  field: FieldId
  ofs: number
  nBits: number
}

/** `max_len` for "the whole packet", OFPCML_NO_BUFFER, and what ovs-ofctl's bare `controller` asks for. */
export const MAX_LEN_ALL = 0xffff

/** Output to a port number or a reserved port (port.ts): NORMAL, FLOOD, ALL, LOCAL, IN_PORT, TABLE, CONTROLLER, ANY. */
export interface OutputAction {
  type: 'output'
  port: number
  /** Bytes to send when the port is CONTROLLER; otherwise 0. */
  maxLen: number
}
/** Output to the port that a register names: NXAST_OUTPUT_REG. */
export interface OutputRegAction {
  type: 'output_reg'
  src: Subfield
  maxLen: number
}
/** Output at most `maxLen` bytes. */
export interface OutputTruncAction {
  type: 'output_trunc'
  port: number
  maxLen: number
}
/** `controller(…)`: NXAST_CONTROLLER and NXAST_CONTROLLER2. */
export interface ControllerAction {
  type: 'controller'
  maxLen: number
  /** Only connections with this controller id get the packet. */
  controllerId: number
  /** OFPR_* (0 no_match, 1 action, 2 invalid_ttl, 3 action_set, 4 group, 5 packet_out). */
  reason: number
  userdata: Uint8Array
  pause: boolean
  /** 0 for none. */
  meterId: number
  /** Asked for by NXAST_CONTROLLER2, and given back that way. */
  v2: boolean
}
export interface EnqueueAction {
  type: 'enqueue'
  port: number
  queue: number
}
export interface SetQueueAction {
  type: 'set_queue'
  queue: number
}
export interface GroupAction {
  type: 'group'
  group: number
}

/** `vid` 0 to 4095. A packet without tag gets one unless `pushIfNeeded` is false (OpenFlow 1.1 and later). */
export interface SetVlanVidAction {
  type: 'set_vlan_vid'
  vid: number
  pushIfNeeded: boolean
}
export interface SetVlanPcpAction {
  type: 'set_vlan_pcp'
  pcp: number
  pushIfNeeded: boolean
}
export interface PushVlanAction {
  type: 'push_vlan'
  ethertype: number
}
export interface PushMplsAction {
  type: 'push_mpls'
  ethertype: number
}
export interface PopMplsAction {
  type: 'pop_mpls'
  ethertype: number
}
/** mod_dl_src, mod_dl_dst: six bytes. */
export interface SetEthAction {
  type: 'set_eth_src' | 'set_eth_dst'
  mac: Uint8Array
}
/** mod_nw_src, mod_nw_dst: the address as a number. */
export interface SetIpv4Action {
  type: 'set_ipv4_src' | 'set_ipv4_dst'
  address: number
}
/** mod_nw_tos (`value`: the whole byte with its lower two bits 0), mod_nw_ecn, mod_nw_ttl, mod_tp_src, mod_tp_dst. */
export interface SetByteAction {
  type: 'set_ip_dscp' | 'set_ip_ecn' | 'set_ip_ttl' | 'set_l4_src_port' | 'set_l4_dst_port'
  value: number
}
export interface SetMplsLabelAction {
  type: 'set_mpls_label'
  label: number
}
export interface SetMplsTcAction {
  type: 'set_mpls_tc'
  tc: number
}
export interface SetMplsTtlAction {
  type: 'set_mpls_ttl'
  ttl: number
}

/** set_field and load are one thing: a field gets `value` where `mask` has 1s. */
export interface SetFieldAction {
  type: 'set_field'
  field: FieldId
  /** The field's bytes as on the wire; for tun_metadata 124, of which the last are the option's. 0 outside `mask`. */
  value: Uint8Array
  /** As long as `value`. */
  mask: Uint8Array
  /** How it was written, which is how it is written again. */
  as: 'set_field' | 'load' | 'load2'
}
export interface MoveAction {
  type: 'move'
  src: Subfield
  dst: Subfield
}
export interface StackAction {
  type: 'push' | 'pop'
  subfield: Subfield
}

/** NXAST_DEC_TTL_CNT_IDS; a plain dec_ttl has the one id 0 and `withIds` false. */
export interface DecTtlAction {
  type: 'dec_ttl'
  controllerIds: readonly number[]
  withIds: boolean
}
export interface SetTunnelAction {
  type: 'set_tunnel'
  id: bigint
  /** It was set_tunnel64 although 32 bits would do. */
  wide: boolean
}

/** Values of ResubmitAction when a part was not given. */
export const TABLE_CURRENT = 0xff
export interface ResubmitAction {
  type: 'resubmit'
  /** OFPP_IN_PORT: the port that the packet came in by. */
  inPort: number
  /** TABLE_CURRENT: the table that the action stands in. */
  table: number
  withCt: boolean
  /** Written with the port alone (NXAST_RESUBMIT). */
  plain: boolean
}
export interface LearnAction {
  type: 'learn'
  idleTimeout: number
  hardTimeout: number
  finIdleTimeout: number
  finHardTimeout: number
  priority: number
  cookie: bigint
  table: number
  sendFlowRem: boolean
  /** delete_learned: what was learned goes with this rule. */
  deleteLearned: boolean
  /** 0 for none. */
  limit: number
  /** Set to 1 when a flow was learned, 0 when the limit forbade it. */
  resultDst?: Subfield
  specs: readonly LearnSpec[]
}
export type LearnSource = { src: Subfield } | { /** (nBits + 7) / 8 bytes, big-endian. */ value: Uint8Array }
export type LearnSpec = { nBits: number } & LearnSource &
  ({ to: 'match'; dst: Subfield } | { to: 'load'; dst: Subfield } | { to: 'output' })

/** Hash of fields for multipath and bundle: NX_HASH_FIELDS_*. */
export const HASH_FIELDS = [
  'eth_src',
  'symmetric_l4',
  'symmetric_l3l4',
  'symmetric_l3l4+udp',
  'nw_src',
  'nw_dst',
  'symmetric_l3',
] as const
export type HashFields = (typeof HASH_FIELDS)[number]
export const MULTIPATH_ALGORITHMS = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'] as const
export interface MultipathAction {
  type: 'multipath'
  fields: HashFields
  basis: number
  algorithm: (typeof MULTIPATH_ALGORITHMS)[number]
  /** Number of links, at least 1 (on the wire one less). */
  links: number
  arg: number
  dst: Subfield
}
export interface BundleAction {
  type: 'bundle'
  fields: HashFields
  basis: number
  algorithm: 'active_backup' | 'hrw'
  members: readonly number[]
  /** bundle_load: where the chosen port goes instead of being output to. */
  dst?: Subfield
}
export interface ConjunctionAction {
  type: 'conjunction'
  id: number
  /** Which of the dimensions, from 0 (in text from 1). */
  clause: number
  clauses: number
}
export interface FinTimeoutAction {
  type: 'fin_timeout'
  idleTimeout: number
  hardTimeout: number
}
export interface NoteAction {
  type: 'note'
  data: Uint8Array
}
export interface SampleAction {
  type: 'sample'
  probability: number
  collectorSetId: number
  obsDomainId: number
  obsPointId: number
  /** OFPP_NONE for none. */
  samplingPort: number
  direction: 'default' | 'ingress' | 'egress'
  /** Of NXAST_SAMPLE, 2 and 3: the form it came in. */
  form: 1 | 2 | 3
}
/** NXAST_CLONE. */
export interface CloneAction {
  type: 'clone'
  actions: readonly OfAction[]
}

export const CT_ALG_FTP = 21
export const CT_ALG_TFTP = 69
export interface CtAction {
  type: 'ct'
  commit: boolean
  force: boolean
  /** A number, or where to read it. */
  zone: number | Subfield
  /** Table to go on in with the state known; undefined: the packet itself goes on untouched. */
  table?: number
  /** 0, CT_ALG_FTP or CT_ALG_TFTP. */
  alg: number
  /** set_field on ct_mark and ct_label, and move to them; NAT is in `nat`. */
  exec: readonly OfAction[]
  nat?: NatSpec
}
/** nat, nat(src=…), nat(dst=…). Addresses as bytes (4 or 16), ports 0 for unspecified. */
export interface NatSpec {
  /** Undefined: only translate what belongs to a translated connection. */
  kind?: 'src' | 'dst'
  minAddress?: Uint8Array
  maxAddress?: Uint8Array
  minPort: number
  maxPort: number
  persistent: boolean
  hash: boolean
  random: boolean
}
export interface CheckPktLargerAction {
  type: 'check_pkt_larger'
  length: number
  dst: Subfield
}
export interface EncapAction {
  type: 'encap'
  /** packet_type to wrap in: 0 ethernet, (1 << 16) | 0x8847, 0x8848 mpls, (1 << 16) | 0x894f nsh. */
  packetType: number
  properties: readonly EncapProperty[]
}
export interface EncapProperty {
  class: number
  type: number
  data: Uint8Array
}
export interface DecapAction {
  type: 'decap'
  /** 0xfffe (PT_USE_NEXT_PROTO) when not given. */
  packetType: number
}
export interface DeleteFieldAction {
  type: 'delete_field'
  field: FieldId
}

/** OpenFlow 1.1+ Write-Actions. */
export interface WriteActionsAction {
  type: 'write_actions'
  actions: readonly OfAction[]
}
export interface WriteMetadataAction {
  type: 'write_metadata'
  metadata: bigint
  mask: bigint
}
export interface GotoTableAction {
  type: 'goto_table'
  table: number
}
/** OpenFlow 1.3+ meter. */
export interface MeterAction {
  type: 'meter'
  meter: number
}

/** strip_vlan and pop_vlan: one action, written in two ways. */
export interface StripVlanAction {
  type: 'strip_vlan'
  /** Written as pop_vlan, its name since OpenFlow 1.1. */
  pop: boolean
}

/** Those that have nothing to say but their name. */
export interface BareAction {
  type: 'dec_mpls_ttl' | 'dec_nsh_ttl' | 'pop_queue' | 'exit' | 'ct_clear' | 'clear_actions'
}

export type OfAction =
  | OutputAction
  | OutputRegAction
  | OutputTruncAction
  | ControllerAction
  | EnqueueAction
  | SetQueueAction
  | GroupAction
  | SetVlanVidAction
  | SetVlanPcpAction
  | PushVlanAction
  | PushMplsAction
  | PopMplsAction
  | SetEthAction
  | SetIpv4Action
  | SetByteAction
  | SetMplsLabelAction
  | SetMplsTcAction
  | SetMplsTtlAction
  | SetFieldAction
  | MoveAction
  | StackAction
  | DecTtlAction
  | SetTunnelAction
  | ResubmitAction
  | LearnAction
  | MultipathAction
  | BundleAction
  | ConjunctionAction
  | FinTimeoutAction
  | NoteAction
  | SampleAction
  | CloneAction
  | CtAction
  | CheckPktLargerAction
  | EncapAction
  | DecapAction
  | DeleteFieldAction
  | WriteActionsAction
  | WriteMetadataAction
  | GotoTableAction
  | MeterAction
  | StripVlanAction
  | BareAction

export type OfActionType = OfAction['type']
