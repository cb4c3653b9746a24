/** The real ovs-ofctl as an oracle: what it prints of a flow, and which bytes it sends for one. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const HELLO = 0
const ECHO_REQUEST = 2
const FLOW_MOD = 14
const VENDOR = 4
const NXT_FLOW_MOD = 13
const NX_VENDOR = 0x2320

const VERSIONS = [1, 2, 3, 4, 5, 6]

/** OpenFlow10 to OpenFlow15, by the version's byte. */
export const protocolName = (version: number): string => `OpenFlow1${version - 1}`

/** What `ovs-ofctl ARGS` prints; throws if it refuses. */
export async function ofctl(...args: string[]): Promise<string> {
  return (await run('ovs-ofctl', args, { maxBuffer: 64 << 20 })).stdout
}

/** Which versions can express a flow, by what `ovs-ofctl parse-flow` calls usable: their bytes; none if it refuses it. */
export async function usableVersions(flow: string): Promise<readonly number[]> {
  const all = VERSIONS.map(protocolName).join()
  const text = await ofctl('-O', all, 'parse-flow', flow).catch(() => '')
  const protocols = /^usable protocols: (.*)$/m.exec(text)?.[1]?.split(',') ?? []
  return VERSIONS.filter((version) => protocols.some((protocol) => usable(protocol, version)))
}

/** @param protocol as `ovs-ofctl` prints it: 1.0 has two kinds of matches, with or without a table; from 1.2 on all have OXM */
function usable(protocol: string, version: number): boolean {
  if (protocol === 'any') return true
  if (protocol === 'OXM') return version >= 3
  const name = protocol.replace(/^OXM-/, '').replace(/-table_id$|\+table_id$/, '')
  return name === protocolName(version) || (version === 1 && name === 'NXM')
}

/** Answers as little as add-flows needs, and collects the flow-mods. */
function serve(socket: Socket, version: number, flowMods: Uint8Array[]): void {
  let buffer = Buffer.alloc(0)
  const reply = (type: number, xid: number): void => {
    const b = Buffer.alloc(8)
    b.set([version, type, 0, 8])
    b.writeUInt32BE(xid, 4)
    socket.write(b)
  }
  const barrier = version === 1 ? 18 : 20
  reply(HELLO, 1)
  socket.on('error', () => {})
  socket.on('data', (data) => {
    buffer = Buffer.concat([buffer, data])
    while (buffer.length >= 8 && buffer.length >= buffer.readUInt16BE(2)) {
      const message = buffer.subarray(0, buffer.readUInt16BE(2))
      buffer = buffer.subarray(message.length)
      const type = message[1]
      const xid = message.readUInt32BE(4)
      const nicira = type === VENDOR && message.length >= 16 && message.readUInt32BE(8) === NX_VENDOR
      if (type === FLOW_MOD || (nicira && message.readUInt32BE(12) === NXT_FLOW_MOD)) flowMods.push(message)
      else if (type === barrier) reply(barrier + 1, xid)
      else if (type === ECHO_REQUEST) reply(ECHO_REQUEST + 1, xid)
    }
  })
}

/** The flow-mod messages that `ovs-ofctl add-flows` sends in this version, one a line. */
export async function sentFlowMods(version: number, lines: readonly string[]): Promise<Uint8Array[]> {
  const dir = await mkdtemp(join(tmpdir(), 'ofctl-'))
  const flowMods: Uint8Array[] = []
  const server = createServer((s) => serve(s, version, flowMods))
  try {
    await writeFile(join(dir, 'flows'), `${lines.join('\n')}\n`)
    await new Promise<void>((resolve) => server.listen(join(dir, 'sock'), resolve))
    await ofctl(
      '--no-names',
      '-O',
      protocolName(version),
      'add-flows',
      `unix:${join(dir, 'sock')}`,
      join(dir, 'flows'),
    )
    return flowMods
  } finally {
    server.close()
    await rm(dir, { recursive: true })
  }
}

/** What `ovs-ofctl ofp-parse` prints of each message; all must be of kinds that take one line (a dump of bytes that follows a fault is left out). */
export async function printMessages(messages: readonly Uint8Array[]): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'ofctl-'))
  try {
    await writeFile(join(dir, 'messages'), Buffer.concat(messages))
    return (await ofctl('ofp-parse', join(dir, 'messages')))
      .split('\n')
      .filter((line) => /^(OFPT|NXT)_/.test(line))
  } finally {
    await rm(dir, { recursive: true })
  }
}
