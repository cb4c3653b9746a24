import { Option } from 'commander'

export const DEFAULT_RUNDIR = '/var/run/openvswitch'

/** `--rundir DIR`, or OVS_RUNDIR, or where Open vSwitch has its own, so that the ovs-* tools find us. */
export function rundirOption(): Option {
  return new Option('--rundir <dir>', 'directory of the control socket, the log and the state of this switch')
    .env('OVS_RUNDIR')
    .default(DEFAULT_RUNDIR)
}

/** Where commands look for the switch when no --rundir is given. */
export function usualRundir(): string {
  return process.env['OVS_RUNDIR'] ?? DEFAULT_RUNDIR
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, for programs')
}

export interface RundirOptions {
  readonly rundir: string
}

export interface TableOptions extends RundirOptions {
  readonly json?: boolean
}
