import { formatMac } from '../../protocols/wire/ethernet.ts'

/** The OpenFlow datapath id of a bridge that is given none: its MAC address behind four zeros, 16 digits. */
export function datapathIdOf(mac: number): string {
  return `0000${formatMac(mac).replaceAll(':', '')}`
}
