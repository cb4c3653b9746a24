/**
 * `npm run bench -- [--quick] [--only NAME]… [--json FILE] [--report FILE.html] [--profile FILE]
 * [--markdown] [--from FILE] [--part NAME] [--rounds N] [--peer PART]… [--figure PART]…`
 *
 * Measures and prints every figure, and how they stand to what is aimed at; nobody's exit code depends on that.
 * `--from` reads the figures of an earlier run (a file that `--json` has written) in place of measuring anew,
 * `--markdown` prints the tables of the README, `--profile` says where the time goes while frames are forwarded in
 * memory: as a flame graph where the file's name ends with .html, else for a browser's developer tools or speedscope.
 * `--part` picks one of the openflow bench's (programming, forwarding, upcalls, packetIns, flowModFlood); `--peer` and
 * `--figure` pick the switches and figures of the device bench, and of the dhcp bench, by parts of their names;
 * `--rounds` says how often openflow's or the device bench's are measured.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { device } from './device/device.ts'
import { dhcp } from './dhcp/dhcp.ts'
import { growth } from './growth/growth.ts'
import { openflow } from './openflow/openflow.ts'
import { ovsdb } from './ovsdb/ovsdb.ts'
import { pauses } from './pauses/pauses.ts'
import { measureInMemory } from './pipeline/bundled.ts'
import { ports } from './ports/ports.ts'
import { flameGraph } from './report/flame-graph.ts'
import { markdown } from './report/markdown.ts'
import { reportPage } from './report/page.ts'
import { rfc2544 } from './rfc2544/rfc2544.ts'
import { start } from './start/start.ts'
import { nameMachine, thisMachine } from './support/machine.ts'
import { formatResults, leftOut, type Result } from './support/result.ts'
import type { Run } from './support/run.ts'
import { formatVerdicts, judge } from './targets.ts'

const BENCHES: Record<string, (quick: boolean) => Result[] | Promise<Result[]>> = {
  forwarding: (quick) => measureInMemory('forwarding', quick),
  growth,
  device: (quick) => device(quick, values),
  dhcp: (quick) => dhcp(quick, values),
  openflow: (quick) => openflow(quick, values),
  ovsdb: (quick) => ovsdb(quick, values),
  pauses,
  ports,
  rfc2544,
  start,
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    report: { type: 'string' },
    profile: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    from: { type: 'string' },
    part: { type: 'string' },
    rounds: { type: 'string' },
    peer: { type: 'string', multiple: true },
    figure: { type: 'string', multiple: true },
  },
})

/** One bench that fails does not cost the figures of the others. */
async function measure(names: readonly string[], quick: boolean): Promise<Run> {
  const results: Result[] = []
  for (const name of names) {
    console.error(`${name} …`)
    try {
      results.push(...(await BENCHES[name]!(quick)))
    } catch (error) {
      console.error(`  ${(error as Error).message}`)
      results.push(leftOut(name, (error as Error).message))
      process.exitCode = 1
    }
  }
  return { machine: thisMachine(), quick, results }
}

const names = values.only ?? Object.keys(BENCHES)
const unknown = names.find((name) => BENCHES[name] === undefined)
if (unknown !== undefined) {
  console.error(`there is no bench "${unknown}"; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
if (values.profile !== undefined) {
  const profile = measureInMemory('profile', values.quick)
  const title = `Forwarding in memory, ${nameMachine(thisMachine())}`
  const page = values.profile.endsWith('.html')
  writeFileSync(values.profile, page ? flameGraph(profile, title) : JSON.stringify(profile))
} else {
  const run: Run =
    values.from === undefined
      ? await measure(names, values.quick)
      : JSON.parse(readFileSync(values.from, 'utf8'))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(run, null, 2)}\n`)
  if (values.report !== undefined) writeFileSync(values.report, reportPage(run))
  if (values.markdown) console.log(markdown(run))
  else console.log(`${formatResults(run.results)}\n${formatVerdicts(judge(run.results))}`)
}
