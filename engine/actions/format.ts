/**
 * Programs in the words of ovs-dpctl(8) dump-flows, and where it has no word, of this program's own.
 */
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import { DROP_NAMES } from '../drops.ts'
import { formatPushNsh, formatRewrite } from './format-rewrite.ts'
import {
  NO_PORT,
  OP_CHECK_IP,
  OP_CHECK_LEN,
  OP_CHECK_MTU,
  OP_CHECK_TTL,
  OP_CLONE,
  OP_COLLECT,
  OP_CONTROLLER,
  OP_CT,
  OP_DEC_TTL,
  OP_DROP,
  OP_END,
  OP_ENQUEUE,
  OP_HELP,
  OP_METER,
  OP_OUTPUT,
  OP_POP_VLAN,
  OP_PREPEND,
  OP_PUSH_NSH,
  OP_PUSH_VLAN,
  OP_QUOTED,
  OP_RECIRC,
  OP_SAMPLE,
  OP_SET_ETH,
  OP_SET_ICMP_ID,
  OP_SET_NW_DST,
  OP_SET_NW_SRC,
  OP_SET_NW_TOS,
  OP_SET_TP_DST,
  OP_SET_TP_SRC,
  OP_SET_VLAN,
  OP_SLOW,
  OP_TRACK,
  OP_TRACK_ASIDE,
  OP_TRUNC,
  OPERANDS,
  SAMPLE_BRIDGE,
  SAMPLE_EGRESS,
  SAMPLE_INGRESS,
  SLOW_NAMES,
} from './ops.ts'

/**
 * The program at `pc` as text, e.g. `push_vlan(vid=10,pcp=0),vm1.eth0`; `drop` for one that does nothing.
 * @param queue that outputs use until another is named: Open vSwitch has it set by an action of its own
 */
export function formatProgram(
  code: Int32Array,
  pc: number,
  portName: (portNo: number) => string,
  queue = 0,
): string {
  const parts: string[] = []
  let context = ''
  while (code[pc] !== OP_END) {
    const op = code[pc]
    if (op === OP_CHECK_LEN) {
      const larger = formatProgram(code, pc + 4, portName, queue)
      const other = formatProgram(code, pc + 4 + code[pc + 2], portName, queue)
      parts.push(`check_pkt_len(size=${code[pc + 1]},gt(${larger}),le(${other}))`)
      pc += 4 + code[pc + 2] + code[pc + 3]
      continue
    }
    if (op === OP_PREPEND) {
      context = (code[pc + 1] >>> 0).toString(16).padStart(8, '0') + context
      pc += 2
      continue
    }
    if (op === OP_PUSH_NSH) {
      parts.push(formatPushNsh(code, pc, context))
      context = ''
      pc += 1 + OPERANDS[op]
      continue
    }
    if (op === OP_CLONE) {
      parts.push(`clone(${formatProgram(code, pc + 2, portName, queue)})`)
      pc += 2 + code[pc + 1]
      continue
    }
    if (op === OP_SAMPLE) {
      parts.push(formatSample(code, pc, portName))
      pc += 1 + OPERANDS[op]
      continue
    }
    if (op === OP_OUTPUT || op === OP_ENQUEUE) {
      const by = op === OP_ENQUEUE ? code[pc + 2] : 0
      if (by !== queue) parts.push(`set(skb_priority(${by === 0 ? 0 : `0x${(by >>> 0).toString(16)}`}))`)
      queue = by
    }
    parts.push(formatRewrite(code, pc) ?? formatOp(op, code[pc + 1], code[pc + 2], code[pc + 3], portName))
    pc += 1 + OPERANDS[op]
  }
  return parts.length === 0 ? 'drop' : parts.join(',')
}

function formatSample(code: Int32Array, pc: number, portName: (portNo: number) => string): string {
  const [chance, , set, domain, point, port, flags] = code.subarray(pc + 1, pc + 8)
  const output = `output_port=${port === NO_PORT ? port >>> 0 : portName(port)}`
  const direction =
    (flags & SAMPLE_INGRESS) !== 0 ? ',ingress' : (flags & SAMPLE_EGRESS) !== 0 ? ',egress' : ''
  const cookie =
    (flags & SAMPLE_BRIDGE) !== 0
      ? `ipfix(${output})`
      : `flow_sample(probability=${chance >>> 16},collector_set_id=${set >>> 0},obs_domain_id=${domain >>> 0},obs_point_id=${point >>> 0},${output}${direction})`
  const action = `userspace(pid=0,${cookie})`
  if (chance === -1) return action
  return `sample(sample=${(((chance >>> 0) / 0xffff_ffff) * 100).toFixed(1)}%,actions(${action}))`
}

function formatOp(op: number, a: number, b: number, c: number, portName: (portNo: number) => string): string {
  switch (op) {
    case OP_OUTPUT:
    case OP_ENQUEUE:
      return portName(a)
    case OP_DROP:
      return `drop(${DROP_NAMES[a]})`
    case OP_SLOW:
      return `userspace(${SLOW_NAMES[a]})`
    case OP_PUSH_VLAN:
      return `push_vlan(${a === 0x8100 ? '' : `tpid=0x${a.toString(16)},`}vid=${b & 0xfff},pcp=${b >>> 13})`
    case OP_POP_VLAN:
      return 'pop_vlan'
    case OP_SET_VLAN:
      return `set(vlan(vid=${a & 0xfff},pcp=${a >>> 13}))`
    case OP_SET_ETH:
      return `set(eth(src=${formatMac((b & 0xffff) * 0x1_0000_0000 + (c >>> 0))},dst=${formatMac((a >>> 0) * 0x1_0000 + (b >>> 16))}))`
    case OP_SET_NW_SRC:
      return `set(ipv4(src=${formatIpv4(a >>> 0)}))`
    case OP_SET_NW_DST:
      return `set(ipv4(dst=${formatIpv4(a >>> 0)}))`
    case OP_SET_NW_TOS:
      return `set(ipv4(tos=0x${a.toString(16)}))`
    case OP_SET_TP_SRC:
      return `set(tp(src=${a}))`
    case OP_SET_TP_DST:
      return `set(tp(dst=${a}))`
    case OP_SET_ICMP_ID:
      return `set(icmp(id=${a}))`
    case OP_CHECK_IP:
      return 'check_ip'
    case OP_CHECK_TTL:
      return 'check_ttl'
    case OP_DEC_TTL:
      return 'dec_ttl'
    case OP_CHECK_MTU:
      return `check_pkt_len(${a})`
    case OP_TRACK:
    case OP_TRACK_ASIDE:
    case OP_CT:
      return `ct(connection=${a},direction=${b === 0 ? 'original' : 'reply'})`
    case OP_TRUNC:
      return `trunc(${a})`
    case OP_METER:
      return `meter(${a})`
    case OP_CONTROLLER:
      return `userspace(controller(${a}))`
    case OP_RECIRC:
      return `recirc(0x${a.toString(16)})`
    case OP_HELP:
      return `ct(connection=${a},helper)`
    case OP_QUOTED:
      return `ct(connection=${a},related)`
    case OP_COLLECT:
      return `ct(zone=${a},fragment)`
    default:
      throw new Error(`no such operation: ${op}`)
  }
}
