/** What `ovs-appctl` may ask of a server of a cluster: "Cluster Commands" in ovsdb-server(1). */

import { ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { FAILURE_TESTS, type FailureTest } from '../../protocols/raft/failure-test.ts'
import type { Server } from '../../protocols/raft/state.ts'
import type { Cluster } from '../ovsdb/cluster.ts'
import type { Databases } from '../ovsdb/databases.ts'
import type { Clock } from '../services/scheduler.ts'
import { type UnixctlCommand, UnixctlError } from '../unixctl/command-registry.ts'
import { clusterStatus } from './cluster-status.ts'

type Answer = (cluster: Cluster, ...args: readonly string[]) => string

export function clusterCommands(databases: Databases, clock: Clock): UnixctlCommand[] {
  const of = (name: string, usage: string, answer: Answer): UnixctlCommand => {
    const count = usage.split(' ').length
    const run = ([database, ...args]: readonly string[]) => {
      const cluster = databases.clusters.get(database)
      if (cluster === undefined) throw new UnixctlError('unknown cluster')
      return answer(cluster, ...args)
    }
    return { name: `cluster/${name}`, usage, min: count, max: count, run }
  }
  return [
    of('cid', 'DB', ({ raft }) => {
      const { cid } = raft.state
      if (cid === ZERO_UUID) throw new UnixctlError('cluster id not yet known')
      return cid
    }),
    of('sid', 'DB', ({ raft }) => raft.state.sid),
    of('status', 'DB', ({ raft, network }) =>
      clusterStatus(raft.state, clock.now(), network.describe(), network.disconnections),
    ),
    of('leave', 'DB', leave),
    of('kick', 'DB SERVER', kick),
    of('change-election-timer', 'DB TIME', (cluster, time) =>
      said(cluster.run((raft, now) => raft.changeElectionTimer(now, Number.parseInt(time, 10) || 0))),
    ),
    of('set-backlog-threshold', 'DB N_MSGS N_BYTES', setBacklogThreshold),
    {
      name: 'cluster/failure-test',
      usage: 'FAILURE SCENARIO',
      min: 1,
      max: 1,
      run: ([scenario]) => setFailureTest(databases, scenario),
    },
  ]
}

/** What is refused is an error. */
function said({ success, text }: { success: boolean; text: string }): string {
  if (success) return text
  throw new UnixctlError(text)
}

function leave(cluster: Cluster): string {
  const { leaving, joining, failed } = cluster.raft.state
  if (leaving) throw new UnixctlError('already in progress leaving cluster')
  if (joining) throw new UnixctlError("can't leave while join in progress")
  if (failed) throw new UnixctlError("can't leave after failure")
  cluster.run((raft, now) => raft.leave(now))
  return ''
}

function kick(cluster: Cluster, name: string): string {
  const { servers, sid } = cluster.raft.state
  const server = bestMatch([...servers.values()], name)
  if (server === undefined) throw new UnixctlError('unknown server')
  return server.sid === sid ? leave(cluster) : said(cluster.run((raft, now) => raft.kick(now, server.sid)))
}

/** The server at an address, or the only one whose id begins so. */
function bestMatch(servers: readonly Server[], name: string): Server | undefined {
  const matching = servers.filter(
    ({ sid, address }) => address === name || sid.startsWith(name.toLowerCase()),
  )
  return matching.find(({ address }) => address === name) ?? (matching.length === 1 ? matching[0] : undefined)
}

function setBacklogThreshold({ network }: Cluster, messages: string, bytes: string): string {
  if (![messages, bytes].every((text) => /^\d{1,20}$/.test(text))) throw new UnixctlError('invalid argument')
  if (Number(messages) < 50) throw new UnixctlError('values out of range')
  network.limits.messages = Number(messages)
  network.limits.bytes = Number(bytes)
  return ''
}

function setFailureTest(databases: Databases, scenario: string): string {
  const test = FAILURE_TESTS.find((each) => each === scenario) as FailureTest | undefined
  if (test === undefined && scenario !== 'clear') throw new UnixctlError('unknown test scenario')
  for (const cluster of databases.clusters.values())
    cluster.run((raft, now) => raft.setFailureTest(now, test))
  return test === undefined ? 'test dismissed' : 'test engaged'
}
