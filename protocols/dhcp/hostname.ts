/** What a client calls itself: the host name option, else the FQDN option (RFC 4702). */

import { OPT_FQDN, OPT_HOST_NAME, type Repr } from '../wire/dhcpv4.ts'
import { parseDomainList } from './domain-list.ts'
import { encodeText, printableText } from './text.ts'

const MAX_HOSTNAME = 255
/** RFC 4702 §2: flags and two result codes before the name; the E flag says that it is in DNS wire format. */
const FQDN_HEADER = 3
const FQDN_FLAG_E = 4

/** Printable, at most 255 characters, empty when the client gives no name. */
export function hostnameOf(message: Repr): string {
  const name = message.options.get(OPT_HOST_NAME)
  if (name !== undefined && name.length > 0) return printableText(name).slice(0, MAX_HOSTNAME)
  const fqdn = message.options.get(OPT_FQDN)
  if (fqdn === undefined || fqdn.length <= FQDN_HEADER) return ''
  const data = fqdn.subarray(FQDN_HEADER)
  if ((fqdn[0] & FQDN_FLAG_E) === 0) return printableText(data).slice(0, MAX_HOSTNAME)
  // A partial name lacks its terminating zero.
  const domain =
    parseDomainList(data)?.[0] ?? parseDomainList(Uint8Array.of(...data.subarray(0, 254), 0))?.[0]
  return domain === undefined ? '' : printableText(encodeText(domain)).slice(0, MAX_HOSTNAME)
}
