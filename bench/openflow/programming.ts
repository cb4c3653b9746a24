/** How fast rules come, and what memory they take. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { resident } from '../peers/peer.ts'
import type { Figures } from '../support/figures.ts'
import { Client, encodeRules } from './client.ts'
import { BRIDGE, type Peer } from './peers.ts'
import { rules } from './rules.ts'

/** What dump-flows prints of so many rules. */
const MAX_OUTPUT = 64 << 20
const execute = promisify(execFile)
const run = (program: string, args: string[], options: { env: NodeJS.ProcessEnv }) =>
  execute(program, args, { ...options, maxBuffer: MAX_OUTPUT })
/** A page of a heap is given back only some time after it is free. */
const SETTLE_MS = 2000
const FILE = '/run/flows'

/** Rules by ovs-ofctl, each confirmed before the next is sent; the same in a bundle; the same in one stream. */
export async function programming(peer: Peer, count: number, figures: Figures): Promise<void> {
  const lines = rules(count, 20)
  writeFileSync(FILE, `${lines.join('\n')}\n`)
  const ofctl = (...args: string[]) => run('ovs-ofctl', ['-O', 'OpenFlow14', ...args], { env: peer.env })
  const size = `${count} rules`
  await ofctl('del-flows', BRIDGE)
  const before = resident([peer.pid])
  const rate = async (what: string, work: () => Promise<unknown>) => {
    const begin = performance.now()
    try {
      await work()
    } catch (error) {
      console.error(`  ${what}, ${peer.name}: refused: ${String((error as Error).message).split('\n')[1]}`)
      return
    }
    const seconds = (performance.now() - begin) / 1000
    const { stdout } = await ofctl('dump-aggregate', BRIDGE)
    if (!stdout.includes(`flow_count=${count}`)) throw new Error(`${peer.name} has not all rules: ${stdout}`)
    figures.add(peer.name, what, count / seconds, 'rules/s')
  }
  await rate(`add-flows, ${size}`, () => ofctl('add-flows', BRIDGE, FILE))
  await sleep(SETTLE_MS)
  figures.add(peer.name, `memory, ${size}`, (resident([peer.pid]) - before) / count, 'B/rule', true)
  await rate(`dump-flows, ${size}`, () => ofctl('dump-flows', BRIDGE))
  await rate(`add-flows over the same, ${size}`, () => ofctl('add-flows', BRIDGE, FILE))
  const begin = performance.now()
  await ofctl('del-flows', BRIDGE)
  figures.add(peer.name, `del-flows, ${size}`, (1000 * count) / (performance.now() - begin), 'rules/s')
  await rate(`add-flows --bundle, ${size}`, () => ofctl('--bundle', 'add-flows', BRIDGE, FILE))
  await ofctl('del-flows', BRIDGE)
  const messages = encodeRules(lines)
  const client = await Client.connect(peer.socket)
  await rate(`flow-mods in a stream, ${size}`, () => client.send(messages))
  await client.close()
  await ofctl('del-flows', BRIDGE)
}
