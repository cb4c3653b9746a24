/** Ways to syslog: `--syslog-method` and `--syslog-target`, ovs-vswitchd(8). */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { openSyslog, writeSyslog } from '../../engine/sys/syslog.ts'
import { CommandLineError } from './getopt.ts'
import type { SyslogWriter } from './vlog.ts'

const SYSLOG_PORT = 514

/** @throws CommandLineError */
function byUdp(target: string): SyslogWriter {
  const found = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(target)
  if (found === null) throw new CommandLineError(`${target}: not an address of a syslog server`)
  const [, host, port = SYSLOG_PORT] = found
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.on('error', () => {})
  socket.unref()
  return (priority, line) => socket.send(`<${priority}>${line}`, Number(port), host, () => {})
}

function byMethod(program: string, method: string): SyslogWriter | undefined {
  if (method === 'null') return undefined
  if (method.startsWith('udp:')) return byUdp(method.slice('udp:'.length))
  // A file is where libc has its socket in any case.
  if (method !== 'libc' && !method.startsWith('unix:'))
    throw new CommandLineError(`unsupported syslog method '${method}'`)
  openSyslog(program, 0)
  return writeSyslog
}

/**
 * @param method `libc` (the default), `null`, `unix:FILE` or `udp:IP:PORT`
 * @param target another server, by UDP
 * @throws CommandLineError
 */
export function syslogWriter(
  program: string,
  method: string | undefined,
  target: string | undefined,
): SyslogWriter | undefined {
  const local = byMethod(program, method ?? 'libc')
  if (target === undefined) return local
  const remote = byUdp(target)
  return (priority, line) => {
    local?.(priority, line)
    remote(priority, line)
  }
}
