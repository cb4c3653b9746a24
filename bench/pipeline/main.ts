/**
 * What is measured in memory, as a program of its own that is bundled as the switch is (rolldown.config.ts): of files
 * that import one another V8 makes slower code. Prints what has come out, as JSON. Arguments: what, and --quick.
 */

import { flows } from '../growth/flows.ts'
import { ports } from '../growth/ports.ts'
import { sessions } from '../growth/sessions.ts'
import { stations } from '../growth/stations.ts'
import type { Measured } from './bundled.ts'
import { forwarding } from './forwarding.ts'
import { profileForwarding } from './profile.ts'

const MEASURES: { [name in keyof Measured]: (quick: boolean) => Measured[name] | Promise<Measured[name]> } = {
  forwarding,
  growth: (quick) => [ports, flows, stations, sessions].flatMap((bench) => bench(quick)),
  profile: profileForwarding,
}

const [name, quick] = process.argv.slice(2) as [keyof Measured, string?]
Promise.resolve(MEASURES[name](quick === '--quick')).then((measured) =>
  process.stdout.write(JSON.stringify(measured)),
)
