/** Actions and instructions from text, as ovs-ofctl(8) accepts them (ovs-actions(7)). */

import {
  type ControllerAction,
  MAX_LEN_ALL,
  type OfAction,
  type SampleAction,
  TABLE_CURRENT,
} from '../action.ts'
import { verifyActions } from '../action-verify.ts'
import { maskIsValid, valueIsValid } from '../match-field.ts'
import { OFPP_CONTROLLER, OFPP_IN_PORT, OFPP_LOCAL, OFPP_MAX, OFPP_NONE } from '../port.ts'
import { bigOf, bytesOf, putBits } from '../subfield.ts'
import { OF11 } from '../version.ts'
import { REASONS } from './action-format.ts'
import { parseEthernet, parseIpv4 } from './address.ts'
import { parseBundle, parseMultipath } from './choice-parse.ts'
import { parseCt } from './ct-parse.ts'
import { parseDecap, parseEncap } from './encap-parse.ts'
import { parseFieldValue } from './field-value.ts'
import { parseLearn } from './learn-parse.ts'
import { type NameMaps, parsePort, parseTable } from './names.ts'
import { atoi, keyValues, parseHexBytes, parseIntBytes, parseUint, parseUint64, syntaxError } from './scan.ts'
import { parseActionSubfield, parseFieldName, parseSubfield, parseSubfieldPrefix } from './subfield-text.ts'

type Parse = (arg: string, names: NameMaps | undefined) => OfAction

function port(s: string, names: NameMaps | undefined, what: string): number {
  return parsePort(s, names) ?? syntaxError(`${s}: ${what}`)
}

function outputTrunc(arg: string, names?: NameMaps): OfAction {
  let to = 0
  let maxLen = 0
  for (const [key, value] of keyValues(arg)) {
    if (key === 'port') {
      to = port(value, names, 'output to unknown truncate port')
      if (to > OFPP_MAX && to !== OFPP_LOCAL && to !== OFPP_IN_PORT) {
        syntaxError(`output to unsupported truncate port: ${value}`)
      }
    } else if (key === 'max_len') {
      maxLen = parseUint(value, 32, 'max_len')
      if (maxLen < 14) syntaxError(`max_len ${maxLen} is less than the minimum value 14`)
    } else syntaxError(`invalid key '${key}' in output_trunc argument`)
  }
  return { type: 'output_trunc', port: to, maxLen }
}

function output(arg: string, names?: NameMaps): OfAction {
  if (arg.includes('port') && arg.includes('max_len')) return outputTrunc(arg, names)
  const to = parsePort(arg, names)
  if (to !== undefined) return { type: 'output', port: to, maxLen: to === OFPP_CONTROLLER ? MAX_LEN_ALL : 0 }
  try {
    return { type: 'output_reg', src: parseActionSubfield(arg), maxLen: MAX_LEN_ALL }
  } catch {
    return syntaxError(`${arg}: output to unknown port`)
  }
}

function controller(arg: string): OfAction {
  const a: ControllerAction = {
    type: 'controller',
    maxLen: MAX_LEN_ALL,
    controllerId: 0,
    reason: 1,
    userdata: new Uint8Array(0),
    pause: false,
    meterId: 0,
    v2: false,
  }
  let plain = true
  if (/^\d+$/.test(arg)) a.maxLen = parseUint(arg, 16, 'max_len')
  else {
    for (const [key, value] of keyValues(arg)) {
      if (key === 'max_len') a.maxLen = parseUint(value, 16, key)
      else if (key === 'id') a.controllerId = parseUint(value, 16, key)
      else if (key === 'pause') a.pause = true
      else if (key === 'meter_id') a.meterId = parseUint(value, 32, key)
      else if (key === 'userdata') {
        a.userdata = parseHexBytes(value, "`controller' action `userdata'")
        plain = false
      } else if (key === 'reason') {
        a.reason = (REASONS as readonly string[]).indexOf(value)
        if (a.reason < 0) syntaxError(`unknown reason "${value}"`)
      } else syntaxError(`unknown key "${key}" parsing controller action`)
    }
  }
  plain &&= a.reason === 1 && a.controllerId === 0 && !a.pause && a.meterId === 0
  return plain ? { type: 'output', port: OFPP_CONTROLLER, maxLen: a.maxLen } : a
}

function enqueue(arg: string, names?: NameMaps): OfAction {
  const m = /^[:q,]*([^:q,]+)[:q,](.+)$/.exec(arg)
  if (m === null) return syntaxError('"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"')
  return {
    type: 'enqueue',
    port: port(m[1], names, 'enqueue to unknown port'),
    queue: parseUint(m[2].trim(), 32, 'queue'),
  }
}

/** The two sides of `a->b`. */
export function arrow(arg: string): readonly [from: string, to: string] {
  const i = arg.indexOf('->')
  if (i < 0) return syntaxError(`${arg}: missing \`->'`)
  if (i + 2 === arg.length) return syntaxError(`${arg}: missing field name following \`->'`)
  return [arg.slice(0, i), arg.slice(i + 2)]
}

function setField(arg: string, names?: NameMaps): OfAction {
  const [text, name] = arrow(arg)
  const field = parseFieldName(name)
  if (field === undefined || !(field.name === name || field.aliases.includes(name))) {
    return syntaxError(`${name} is not a valid OXM field name`)
  }
  if (!field.writable) return syntaxError(`${name} is read-only`)
  const { value, mask } = parseFieldValue(field, text, names)
  if (!valueIsValid(field, value) || !maskIsValid(field, mask)) {
    return syntaxError(`${text} is not a valid value for field ${name}`)
  }
  return { type: 'set_field', field: field.id, value, mask, as: 'set_field' }
}

function load(arg: string): OfAction {
  const [text, name] = arrow(arg)
  const { field, ofs, nBits } = parseSubfield(name)
  const value = parseIntBytes(text, field.bytes)
  if (value === undefined) return syntaxError(`${arg}: cannot parse integer value`)
  const v = bigOf(value)
  if (v >> BigInt(nBits) !== 0n) return syntaxError(`${arg}: value ${text} does not fit into ${nBits} bits`)
  const mask = new Uint8Array(field.bytes)
  putBits(mask, ofs, nBits, (1n << BigInt(nBits)) - 1n)
  return {
    type: 'set_field',
    field: field.id,
    value: bytesOf(v << BigInt(ofs), field.bytes),
    mask,
    as: 'load',
  }
}

function move(arg: string): OfAction {
  const { subfield: s, rest } = parseSubfieldPrefix(arg)
  if (!rest.startsWith('->')) return syntaxError(`${arg}: missing \`->' following source`)
  const dst = parseActionSubfield(rest.slice(2))
  if (s.nBits !== dst.nBits) {
    return syntaxError(
      `${arg}: source field is ${s.nBits} bits wide but destination is ${dst.nBits} bits wide`,
    )
  }
  return { type: 'move', src: { field: s.field.id, ofs: s.ofs, nBits: s.nBits }, dst }
}

function resubmit(arg: string, names?: NameMaps): OfAction {
  const [portText = '', tableText = '', ct = ''] = arg.split(',')
  const inPort = portText === '' ? OFPP_IN_PORT : port(portText, names, 'resubmit to unknown port')
  const table = tableText === '' ? TABLE_CURRENT : parseTable(tableText, names)
  if (table === undefined) return syntaxError(`${tableText}: resubmit to unknown table`)
  if (ct !== '' && ct !== 'ct') return syntaxError(`${ct}: unknown parameter`)
  if (inPort === OFPP_IN_PORT && table === TABLE_CURRENT) {
    return syntaxError('at least one "in_port" or "table" must be specified on resubmit')
  }
  return { type: 'resubmit', inPort, table, withCt: ct === 'ct', plain: false }
}

function sample(arg: string, names?: NameMaps): OfAction {
  const a: SampleAction = {
    type: 'sample',
    probability: 0,
    collectorSetId: 0,
    obsDomainId: 0,
    obsPointId: 0,
    samplingPort: OFPP_NONE,
    direction: 'default',
    form: 1,
  }
  for (const [key, value] of keyValues(arg)) {
    if (key === 'probability') a.probability = parseUint(value, 16, key)
    else if (key === 'collector_set_id') a.collectorSetId = parseUint(value, 32, key)
    else if (key === 'obs_domain_id') a.obsDomainId = parseUint(value, 32, key)
    else if (key === 'obs_point_id') a.obsPointId = parseUint(value, 32, key)
    else if (key === 'sampling_port') a.samplingPort = port(value, names, 'unknown port')
    else if (key === 'ingress' || key === 'egress') a.direction = key
    else syntaxError(`invalid key "${key}" in "sample" argument`)
  }
  if (a.probability === 0) syntaxError('non-zero "probability" must be specified on sample')
  return a
}

function conjunction(arg: string): OfAction {
  const m = /^\s*(\d+|0[xX][0-9a-fA-F]+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(arg)
  if (m === null) return syntaxError('"conjunction" syntax is "conjunction(id,i/n)"')
  const [id, clause, clauses] = m.slice(1).map(Number)
  if (clauses < 2) return syntaxError('conjunction must have at least 2 clauses')
  if (clauses > 64) return syntaxError('conjunction must have at most 64 clauses')
  if (clause < 1) return syntaxError('clause index must be positive')
  if (clause > clauses) return syntaxError('clause index must be less than or equal to number of clauses')
  return { type: 'conjunction', id: id >>> 0, clause: clause - 1, clauses }
}

function finTimeout(arg: string): OfAction {
  const a = { type: 'fin_timeout' as const, idleTimeout: 0, hardTimeout: 0 }
  for (const [key, value] of keyValues(arg)) {
    if (key === 'idle_timeout') a.idleTimeout = parseUint(value, 16, key)
    else if (key === 'hard_timeout') a.hardTimeout = parseUint(value, 16, key)
    else syntaxError(`invalid key '${key}' in 'fin_timeout' argument`)
  }
  return a
}

function decTtl(arg: string): OfAction {
  if (arg === '') return { type: 'dec_ttl', controllerIds: [0], withIds: false }
  const controllerIds = arg
    .split(/[, ]+/)
    .filter((s) => s !== '')
    .map((s) => atoi(s) & 0xffff)
  if (controllerIds.length === 0) syntaxError('dec_ttl_cnt_ids: expected at least one controller id.')
  return { type: 'dec_ttl', controllerIds, withIds: true }
}

function writeMetadata(arg: string): OfAction {
  const [value, mask] = arg.split('/')
  return {
    type: 'write_metadata',
    metadata: parseUint64(value, 'metadata'),
    mask: mask === undefined ? 0xffff_ffff_ffff_ffffn : parseUint64(mask, 'mask'),
  }
}

function checkPktLarger(arg: string): OfAction {
  const [length, to] = arrow(arg)
  const dst = parseActionSubfield(to)
  if (dst.nBits !== 1) return syntaxError('Only 1-bit destination field is allowed')
  return { type: 'check_pkt_larger', length: parseUint(length.replace(/\)$/, ''), 16, 'length'), dst }
}

function limited(arg: string, bits: number, limit: number, what: string): number {
  const v = parseUint(arg, bits, what)
  return (v & ~limit) === 0 ? v : syntaxError(`${arg}: not a valid ${what}`)
}

const mac = (s: string): Uint8Array => parseEthernet(s) ?? syntaxError(`invalid mac address ${s}`)
const ip = (s: string): number =>
  Number(bigOf(parseIpv4(s) ?? syntaxError(`${s}: could not convert to IP address`)))
const ethertype = (s: string, what: string): number => parseUint(s, 16, what)
const bare =
  <T extends OfAction['type']>(type: T): (() => { type: T }) =>
  () => ({ type })

const ACTIONS: Readonly<Record<string, Parse>> = {
  output,
  group: (s) => ({ type: 'group', group: parseUint(s, 32, 'group') }),
  controller,
  enqueue,
  bundle: (s, n) => parseBundle(s, n, false),
  bundle_load: (s, n) => parseBundle(s, n, true),
  set_field: setField,
  load,
  set_vlan_vid: (s) => ({
    type: 'set_vlan_vid',
    vid: limited(s, 16, 0xfff, 'VLAN VID'),
    pushIfNeeded: false,
  }),
  mod_vlan_vid: (s) => ({ type: 'set_vlan_vid', vid: limited(s, 16, 0xfff, 'VLAN VID'), pushIfNeeded: true }),
  set_vlan_pcp: (s) => ({ type: 'set_vlan_pcp', pcp: limited(s, 8, 7, 'VLAN PCP'), pushIfNeeded: false }),
  mod_vlan_pcp: (s) => ({ type: 'set_vlan_pcp', pcp: limited(s, 8, 7, 'VLAN PCP'), pushIfNeeded: true }),
  strip_vlan: () => ({ type: 'strip_vlan', pop: false }),
  pop_vlan: () => ({ type: 'strip_vlan', pop: true }),
  push_vlan: (s) => {
    const type = ethertype(s, 'ethertype')
    return type === 0x8100 || type === 0x88a8
      ? { type: 'push_vlan', ethertype: type }
      : syntaxError(`${s}: not a valid VLAN ethertype`)
  },
  mod_dl_src: (s) => ({ type: 'set_eth_src', mac: mac(s) }),
  mod_dl_dst: (s) => ({ type: 'set_eth_dst', mac: mac(s) }),
  mod_nw_src: (s) => ({ type: 'set_ipv4_src', address: ip(s) }),
  mod_nw_dst: (s) => ({ type: 'set_ipv4_dst', address: ip(s) }),
  mod_nw_tos: (s) => ({ type: 'set_ip_dscp', value: limited(s, 8, 0xfc, 'TOS') }),
  mod_nw_ecn: (s) => ({ type: 'set_ip_ecn', value: limited(s, 8, 3, 'ECN') }),
  mod_nw_ttl: (s) => ({ type: 'set_ip_ttl', value: parseUint(s, 8, 'TTL') }),
  set_nw_ttl: (s) => ({ type: 'set_ip_ttl', value: parseUint(s, 8, 'TTL') }),
  mod_tp_src: (s) => ({ type: 'set_l4_src_port', value: parseUint(s, 16, 'source port') }),
  mod_tp_dst: (s) => ({ type: 'set_l4_dst_port', value: parseUint(s, 16, 'destination port') }),
  move,
  push: (s) => ({ type: 'push', subfield: parseActionSubfield(s) }),
  pop: (s) => ({ type: 'pop', subfield: parseActionSubfield(s) }),
  dec_ttl: decTtl,
  set_mpls_label: (s) => ({ type: 'set_mpls_label', label: limited(s, 32, 0xf_ffff, 'MPLS label') }),
  set_mpls_tc: (s) => ({ type: 'set_mpls_tc', tc: limited(s, 8, 7, 'MPLS TC') }),
  set_mpls_ttl: (s) => ({ type: 'set_mpls_ttl', ttl: parseUint(s, 8, 'MPLS TTL') }),
  dec_mpls_ttl: bare('dec_mpls_ttl'),
  push_mpls: (s) => ({ type: 'push_mpls', ethertype: ethertype(s, 'push_mpls') }),
  pop_mpls: (s) => ({ type: 'pop_mpls', ethertype: ethertype(s, 'pop_mpls') }),
  dec_nsh_ttl: bare('dec_nsh_ttl'),
  delete_field: (s) => ({
    type: 'delete_field',
    field: (parseFieldName(s) ?? syntaxError(`unknown field \`${s}'`)).id,
  }),
  encap: parseEncap,
  decap: parseDecap,
  set_tunnel: (s) => ({ type: 'set_tunnel', id: parseUint64(s, 'tunnel id'), wide: false }),
  set_tunnel64: (s) => ({ type: 'set_tunnel', id: parseUint64(s, 'tunnel id'), wide: true }),
  set_queue: (s) => ({ type: 'set_queue', queue: parseUint(s, 32, 'queue') }),
  pop_queue: bare('pop_queue'),
  fin_timeout: finTimeout,
  resubmit,
  learn: parseLearn,
  conjunction,
  multipath: parseMultipath,
  note: (s) => ({ type: 'note', data: parseHexBytes(s, "`note' argument") }),
  exit: bare('exit'),
  sample,
  ct: (s, n) => parseCt(s, n, parseNested),
  ct_clear: bare('ct_clear'),
  clone: (s, n) => ({ type: 'clone', actions: parseNested(s, n) }),
  check_pkt_larger: checkPktLarger,
  meter: (s) => ({ type: 'meter', meter: parseUint(s, 32, 'meter') }),
  clear_actions: bare('clear_actions'),
  write_actions: (s, n) => ({ type: 'write_actions', actions: parseNested(s, n) }),
  write_metadata: writeMetadata,
  goto_table: (s, n) => ({
    type: 'goto_table',
    table: parseTable(s, n) ?? syntaxError(`unknown table "${s}"`),
  }),
}

function parseNested(text: string, names?: NameMaps): OfAction[] {
  const list: OfAction[] = []
  let drop = false
  for (const [key, value] of keyValues(text)) {
    const name = key.toLowerCase()
    const parse = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (parse !== undefined) list.push(parse(value, names))
    else if (name === 'drop') drop = true
    else if (name === 'apply_actions') syntaxError('apply_actions is the default instruction')
    else {
      const to = parsePort(key, names)
      if (to === undefined) return syntaxError(`unknown action ${key}`)
      list.push({ type: 'output', port: to, maxLen: 0 })
    }
  }
  if (drop && list.length > 0) {
    syntaxError('"drop" must not be accompanied by any other action or instruction')
  }
  return list
}

/** What may stand behind `actions=`. Throws FlowSyntaxError. */
export function parseActions(
  text: string,
  names?: NameMaps,
  { instructions = true }: { /** goto_table and the like may be among them. */ instructions?: boolean } = {},
): OfAction[] {
  const list = parseNested(text, names)
  // From 1.5 on a meter is an action.
  const checked = instructions ? list : list.filter((a) => a.type !== 'meter')
  const refused = verifyActions(checked, OF11, instructions)
  if (refused !== undefined) syntaxError(`${text}: ${refused.error}`)
  return list
}
