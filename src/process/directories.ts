/** Where the daemons and tools of Open vSwitch look for each other's files; the environment may say otherwise. */
import { join } from 'node:path'

export interface Directories {
  readonly run: string
  readonly log: string
  readonly database: string
}

export function directories(env: NodeJS.ProcessEnv = process.env): Directories {
  const set = (name: string) => (env[name] === '' ? undefined : env[name])
  const configuration = set('OVS_SYSCONFDIR')
  const fallback = configuration === undefined ? '/etc/openvswitch' : join(configuration, 'openvswitch')
  return {
    run: set('OVS_RUNDIR') ?? '/var/run/openvswitch',
    log: set('OVS_LOGDIR') ?? '/var/log/openvswitch',
    database: set('OVS_DBDIR') ?? fallback,
  }
}
