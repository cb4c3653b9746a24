/**
 * The part of the door for quality of service: what ports make of their bandwidth. The words are those of the
 * QoS, Queue and Interface tables of ovs-vswitchd.conf.db(5). Ports without a device (patch ports, routers'
 * interfaces) send nothing anywhere and have none.
 */
import type { Duration } from '../protocols/time.ts'

/** A class of traffic on its way out of a port. Rates are bits a second, bursts bits. */
export interface QueueSpec {
  /** The number by which set_queue and enqueue know it, below MAX_QUEUE_ID. */
  readonly queue: number
  /** Guaranteed; 12,000 if not given, as in Open vSwitch. */
  readonly minRate?: number
  /** Never exceeded; the port's if not given. */
  readonly maxRate?: number
  /** Credit that an idle queue saves up; at least a frame's worth and a millisecond's. */
  readonly burst?: number
  /** Those of smaller numbers have the first call on what is left over; 0 if not given. */
  readonly priority?: number
}

export type QosSpec =
  | {
      /**
       * linux-htb: every queue has its minRate, and what is left over goes by priority, within one priority in
       * proportion to minRate. linux-hfsc: the same without priorities and bursts.
       */
      readonly type: 'linux-htb' | 'linux-hfsc'
      /** Of the whole port, bits a second. */
      readonly maxRate: number
      /** Queue 0 serves what names no queue, or none of these; it is there even if it is not among them. */
      readonly queues: readonly QueueSpec[]
    }
  | {
      /** Queues nothing, drops what exceeds a rate. Counts bytes behind the Ethernet header. */
      readonly type: 'egress-policer'
      /** Bytes a second. */
      readonly cir: number
      /** Bytes. */
      readonly cbs: number
    }

/** What exceeds the rate on its way in is dropped. */
export interface IngressPolicingSpec {
  /** Bits a second. */
  readonly rate: number
  /** Bits. */
  readonly burst: number
}

/** Queue numbers are below this, as those of linux-htb in Open vSwitch. */
export const MAX_QUEUE_ID = 61_440
/** Queues of one port at the most. */
export const MAX_QUEUES = 64

export interface QueueRow {
  readonly port: string
  readonly bridge: string
  readonly ofport: number
  readonly queue: number
  readonly type: 'linux-htb' | 'linux-hfsc'
  /** What was asked for. */
  readonly spec: QueueSpec
  /** What holds: bits a second, bits. */
  readonly minRate: number
  readonly maxRate: number
  readonly burst: number
  /** Of the whole port. */
  readonly portRate: number
  /** Sent. Bytes and packets are those on the wire: a GSO frame counts as its segments. */
  readonly txPackets: number
  readonly txBytes: number
  /** Packets dropped because the queue was full, or because the device did not take them. */
  readonly txErrors: number
  /** Frames waiting now, and their bytes on the wire. */
  readonly waiting: number
  readonly waitingBytes: number
  readonly age: Duration
}

export interface QosCommands {
  /** The queues of all ports that shape, port by port, by queue number. */
  queues(): QueueRow[]
}

export const QOS_COMMANDS = ['queues'] as const satisfies readonly (keyof QosCommands)[]
