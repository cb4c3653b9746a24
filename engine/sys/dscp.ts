/** The class of service of what a socket sends (RFC 2474): IP_TOS of ip(7), IPV6_TCLASS of ipv6(7). */
import { setsockopt } from './libc.ts'
import { SCRATCH, scratch32 } from './memory.ts'

const IPPROTO_IP = 0
const IP_TOS = 1
const IPPROTO_IPV6 = 41
const IPV6_TCLASS = 67

/** @param dscp 0 to 63. @returns whether it could: a Unix socket has none. What a listener accepts inherits it. */
export function setDscp(fd: number, dscp: number): boolean {
  scratch32[0] = dscp << 2
  const v4 = setsockopt(fd, IPPROTO_IP, IP_TOS, SCRATCH, 4) === 0
  // An IPv6 socket may speak IPv4 as well.
  const v6 = setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, SCRATCH, 4) === 0
  return v4 || v6
}
