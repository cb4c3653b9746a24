/** Mishaps that an administrator may ask for to see how a cluster bears them (`cluster/failure-test`). */

const CRASHES = [
  'crash-before-sending-append-request',
  'crash-after-sending-append-request',
  'crash-before-sending-execute-command-reply',
  'crash-after-sending-execute-command-reply',
  'crash-before-sending-execute-command-request',
  'crash-after-sending-execute-command-request',
  'crash-after-receiving-append-request-update',
  'crash-before-sending-install-snapshot-reply',
] as const

const OTHERS = [
  'delay-election',
  'dont-send-vote-request',
  'stop-raft-rpc',
  'transfer-leadership-after-sending-append-request',
  'transfer-leadership-after-starting-to-add',
  'transfer-leadership',
] as const

export const FAILURE_TESTS = [...CRASHES, ...OTHERS]
export type FailureTest = (typeof FAILURE_TESTS)[number]
export type Crash = (typeof CRASHES)[number]
