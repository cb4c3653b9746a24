/** The rows of all match fields, in the order of Open vSwitch's table; here those that no packet carries. */

import * as key from './flow-key.ts'
import { PACKET_ROWS } from './meta-flow-packet-rows.ts'
import {
  aka,
  type Digit,
  EXACT,
  EXACT_RO,
  type RegisterIndex,
  RO,
  type Row,
  row,
  run,
  width,
} from './meta-flow-row.ts'

export type { FieldName } from './meta-flow-row.ts'

const METADATA: readonly Row[] = [
  row('dp_hash', 4, [key.W_DP_HASH, 0], 'hexadecimal', 'none', 'NXM_NX_DP_HASH(35) NXOXM_ET_DP_HASH(0)', RO),
  row('recirc_id', 4, [key.W_RECIRC, 0], 'decimal', 'none', 'NXM_NX_RECIRC_ID(36)', EXACT_RO),
  row(
    'packet_type',
    4,
    [key.W_PACKET_TYPE, 0],
    'packet_type',
    'none',
    'OXM_OF_PACKET_TYPE(44) 1.5',
    EXACT_RO,
  ),
  row('conj_id', 4, [key.W_CONJ_ID, 0], 'decimal', 'none', 'NXM_NX_CONJ_ID(37)', EXACT_RO),
]

const TUNNEL: readonly Row[] = [
  row(
    'tun_id',
    8,
    [key.W_TUN_ID, 0],
    'hexadecimal',
    'none',
    'NXM_NX_TUN_ID(16) OXM_OF_TUNNEL_ID(38) 1.3',
    aka('tunnel_id'),
  ),
  row('tun_src', 4, [key.W_TUN_SRC, 0], 'ipv4', 'none', 'NXM_NX_TUN_IPV4_SRC(31)'),
  row('tun_dst', 4, [key.W_TUN_DST, 0], 'ipv4', 'none', 'NXM_NX_TUN_IPV4_DST(32)'),
  row('tun_ipv6_src', 16, [key.W_TUN_IPV6_SRC, 0], 'ipv6', 'none', 'NXM_NX_TUN_IPV6_SRC(109)'),
  row('tun_ipv6_dst', 16, [key.W_TUN_IPV6_DST, 0], 'ipv6', 'none', 'NXM_NX_TUN_IPV6_DST(110)'),
  row('tun_flags', width(2, 1), [key.W_TUN_IP, 0, 16], 'tunnel_flags', 'none', 'NXM_NX_TUN_FLAGS(104)'),
  row('tun_ttl', 1, [key.W_TUN_IP, 16], 'decimal', 'none', '', EXACT_RO),
  row('tun_tos', 1, [key.W_TUN_IP, 24], 'decimal', 'none', '', EXACT_RO),
  row('tun_gbp_id', 2, [key.W_TUN_GBP, 16], 'decimal', 'none', 'NXM_NX_TUN_GBP_ID(38)'),
  row('tun_gbp_flags', 1, [key.W_TUN_GBP, 8], 'hexadecimal', 'none', 'NXM_NX_TUN_GBP_FLAGS(39)'),
  row(
    'tun_erspan_idx',
    width(4, 20),
    [key.W_TUN_ERSPAN_IDX, 0, 32],
    'hexadecimal',
    'none',
    'NXOXM_ET_ERSPAN_IDX(11) 1.0',
  ),
  row(
    'tun_erspan_ver',
    width(1, 4),
    [key.W_TUN_ERSPAN, 24, 8],
    'decimal',
    'none',
    'NXOXM_ET_ERSPAN_VER(12) 1.0',
  ),
  row(
    'tun_erspan_dir',
    width(1, 1),
    [key.W_TUN_ERSPAN, 16, 8],
    'decimal',
    'none',
    'NXOXM_ET_ERSPAN_DIR(13) 1.0',
  ),
  row(
    'tun_erspan_hwid',
    width(1, 6),
    [key.W_TUN_ERSPAN, 8, 8],
    'hexadecimal',
    'none',
    'NXOXM_ET_ERSPAN_HWID(14) 1.0',
  ),
  row('tun_gtpu_flags', 1, [key.W_TUN_GTPU, 8], 'hexadecimal', 'none', 'NXOXM_ET_GTPU_FLAGS(15) 1.0', RO),
  row('tun_gtpu_msgtype', 1, [key.W_TUN_GTPU, 0], 'decimal', 'none', 'NXOXM_ET_GTPU_MSGTYPE(16) 1.0', RO),
  ...run(64, (i) =>
    row(
      `tun_metadata${i}`,
      124,
      [key.W_TUN_METADATA, 0],
      'hexadecimal',
      'none',
      `NXM_NX_TUN_METADATA${i}(${40 + i})`,
      { variable: true },
    ),
  ),
]

const PIPELINE: readonly Row[] = [
  row('metadata', 8, [key.W_METADATA, 0], 'hexadecimal', 'none', 'OXM_OF_METADATA(2) 1.2'),
  row('in_port', 2, [key.W_IN_PORT, 0, 32], 'port10', 'none', 'NXM_OF_IN_PORT(0)', EXACT),
  row('in_port_oxm', 4, [key.W_IN_PORT, 0], 'port', 'none', 'OXM_OF_IN_PORT(0) 1.2', EXACT),
  row(
    'actset_output',
    4,
    [key.W_ACTSET_OUTPUT, 0],
    'port',
    'none',
    'ONFOXM_ET_ACTSET_OUTPUT(43) 1.3 OXM_OF_ACTSET_OUTPUT(43) 1.5',
    EXACT_RO,
  ),
  row('skb_priority', 4, [key.W_SKB_PRIORITY, 0], 'hexadecimal', 'none', '', EXACT_RO),
  row('pkt_mark', 4, [key.W_PKT_MARK, 0], 'hexadecimal', 'none', 'NXM_NX_PKT_MARK(33)'),
]

const CONNECTION: readonly Row[] = [
  row('ct_state', 4, [key.W_CT_STATE, 0], 'ct_state', 'none', 'NXM_NX_CT_STATE(105)', RO),
  row('ct_zone', 2, [key.W_CT_ZONE, 0], 'hexadecimal', 'none', 'NXM_NX_CT_ZONE(106)', EXACT_RO),
  row('ct_mark', 4, [key.W_CT_MARK, 0], 'hexadecimal', 'none', 'NXM_NX_CT_MARK(107)'),
  row('ct_label', 16, [key.W_CT_LABEL, 0], 'hexadecimal', 'none', 'NXM_NX_CT_LABEL(108)'),
  row('ct_nw_proto', 1, [key.W_CT_NW_PROTO, 0], 'decimal', 'ct', 'NXM_NX_CT_NW_PROTO(119)', EXACT_RO),
  row('ct_nw_src', 4, [key.W_CT_NW_SRC, 0], 'ipv4', 'ct', 'NXM_NX_CT_NW_SRC(120)', RO),
  row('ct_nw_dst', 4, [key.W_CT_NW_DST, 0], 'ipv4', 'ct', 'NXM_NX_CT_NW_DST(121)', RO),
  row('ct_ipv6_src', 16, [key.W_CT_IPV6_SRC, 0], 'ipv6', 'ct', 'NXM_NX_CT_IPV6_SRC(122)', RO),
  row('ct_ipv6_dst', 16, [key.W_CT_IPV6_DST, 0], 'ipv6', 'ct', 'NXM_NX_CT_IPV6_DST(123)', RO),
  row('ct_tp_src', 2, [key.W_CT_TP, 16], 'decimal', 'ct', 'NXM_NX_CT_TP_SRC(124)', RO),
  row('ct_tp_dst', 2, [key.W_CT_TP, 0], 'decimal', 'ct', 'NXM_NX_CT_TP_DST(125)', RO),
]

const REGISTERS: readonly Row[] = [
  ...run(16, (i) =>
    row(`reg${i as RegisterIndex}`, 4, [key.W_REG + i, 0], 'hexadecimal', 'none', `NXM_NX_REG${i}(${i})`),
  ),
  ...run(8, (i) =>
    row(
      `xreg${i as Digit}`,
      8,
      [key.W_REG + 2 * i, 0],
      'hexadecimal',
      'none',
      `OXM_OF_PKT_REG${i}(${i}) 1.3`,
    ),
  ),
  ...run(4, (i) =>
    row(
      `xxreg${i as 0 | 1 | 2 | 3}`,
      16,
      [key.W_REG + 4 * i, 0],
      'hexadecimal',
      'none',
      `NXM_NX_XXREG${i}(${111 + i})`,
    ),
  ),
]

export const ROWS: readonly Row[] = [
  ...METADATA,
  ...TUNNEL,
  ...PIPELINE,
  ...CONNECTION,
  ...REGISTERS,
  ...PACKET_ROWS,
]
