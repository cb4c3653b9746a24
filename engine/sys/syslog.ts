/** The system's log, syslog(3). Without a daemon that reads it, messages are lost, as they always are. */
import { openlog, syslog } from './libc.ts'
import { mapMemory } from './memory.ts'

const LOG_NDELAY = 8
const NAME_LEN = 256

/** @param facility one of the numbers of syslog(3), such as 3 << 3 for daemons */
export function openSyslog(name: string, facility: number): void {
  // libc keeps the address of the name: it stays.
  const { address, bytes } = mapMemory(NAME_LEN)
  new TextEncoder().encodeInto(name, bytes.subarray(0, NAME_LEN - 1))
  openlog(address, LOG_NDELAY, facility)
}

/** @param priority facility and level, or-ed */
export function writeSyslog(priority: number, text: string): void {
  syslog(priority, '%s', 'str', text)
}
