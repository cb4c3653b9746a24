import { channel } from 'node:diagnostics_channel'

/** A thread publishes here once it is up: what it does from then on is no part of a start (src/bundle/load.ts). */
export const settled = channel('vswitchd-ts.settled')
