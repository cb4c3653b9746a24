/**
 * `npm run bench [-- --quick] [--only NAME] [--json FILE]`
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { device } from './device/device.ts'
import { dhcp } from './dhcp/dhcp.ts'
import { openflow } from './openflow/openflow.ts'
import { forwarding } from './pipeline/forwarding.ts'
import { rfc2544 } from './rfc2544/rfc2544.ts'
import { formatResults, type Result } from './support/result.ts'

const BENCHES: Record<string, (quick: boolean) => Result[] | Promise<Result[]>> = {
  forwarding,
  device,
  dhcp,
  openflow,
  rfc2544,
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})
const names = values.only === undefined ? Object.keys(BENCHES) : [values.only]
const results: Result[] = []
for (const name of names) {
  const bench = BENCHES[name]
  if (bench === undefined) {
    console.error(`there is no bench "${name}"; there are: ${Object.keys(BENCHES).join(', ')}`)
    process.exit(2)
  }
  console.error(`${name} …`)
  results.push(...(await bench(values.quick)))
}
console.log(formatResults(results))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
