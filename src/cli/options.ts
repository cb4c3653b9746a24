import { Option } from 'commander'
import { CliError } from '../errors.ts'
import type { TlsFiles } from '../net/tls.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { EXIT_USAGE } from './exit-codes.ts'

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

/** Files of PEM for ssl: addresses, named as ovs-ofctl(8) has them. */
export interface TlsOptions {
  readonly privateKey?: string
  readonly certificate?: string
  readonly caCert?: string
  readonly bootstrapCaCert?: string
  readonly peerCaCert?: string
}

export function tlsOptions(): Option[] {
  return [
    new Option('-p, --private-key <file>', 'own private key, for ssl:'),
    new Option('-c, --certificate <file>', 'own certificate, for ssl:'),
    new Option('-C, --ca-cert <file>', "certificate of the other side's authority, for ssl:"),
    new Option(
      '--bootstrap-ca-cert <file>',
      'the same; if it does not exist, the first that is met is kept there',
    ),
    new Option('--peer-ca-cert <file>', 'another certificate to show, such as that of the own authority'),
  ]
}

/** Key, certificate and authority, or none of them. */
export function tlsFiles(options: TlsOptions): TlsFiles | undefined {
  const { privateKey, certificate, caCert, bootstrapCaCert, peerCaCert } = options
  const named = new Map([
    ['private-key', privateKey],
    ['certificate', certificate],
    ['ca-cert', caCert],
    ['bootstrap-ca-cert', bootstrapCaCert],
    ['peer-ca-cert', peerCaCert],
  ])
  const files = tlsFilesGiven((name) => named.get(name))
  const given = [privateKey, certificate, caCert, bootstrapCaCert].some((file) => file !== undefined)
  if (files !== undefined || !given) return files
  throw new CliError('For ssl: a private key, a certificate and a CA certificate are needed.', {
    code: EXIT_USAGE,
    hint: 'Give all of --private-key, --certificate and --ca-cert.',
  })
}
