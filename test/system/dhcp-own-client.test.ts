/** The DHCP client of hosts whose address is "dhcp". */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { ROOT, World } from '../support/world.ts'

let world: World
let lab: string

beforeAll(async () => {
  world = await World.create()
  lab = await readFile(join(ROOT, 'examples/netns-lab.json'), 'utf8')
  await world.start(await world.file('lab.json', lab))
})
afterAll(() => world?.close())

async function reload(config: string): Promise<void> {
  await world.file('lab.json', config)
  const { code, stderr } = await world.cli(['reload'])
  expect(code, stderr).toBe(0)
}

test('the lease is given back also when the MAC address of the server has to be asked for first', async () => {
  for (let round = 0; round < 4; round++) {
    // The host must ask by ARP before it can send; its address goes away right after.
    await world.ok(['ip', '-n', 'vm2', 'neighbor', 'flush', 'all'])
    await reload(lab.replace('"address": "dhcp"', '"address": "10.0.0.2/24"'))
    const released = async () => /"released"/.test((await world.cli(['show', 'leases', '--json'])).stdout)
    await until(released, `the lease of vm2 is released, round ${round}`, 3_000)
    await reload(lab)
  }
})
