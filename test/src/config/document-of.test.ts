import fc from 'fast-check'
import { expect, test } from 'vitest'
import { documentOf } from '../../../src/config/document-of.ts'
import { loadConfig, loadConfigFile } from '../../../src/config/load.ts'
import { normalize } from '../../../src/config/normalize.ts'
import { ConfigSchema } from '../../../src/config/schema.ts'
import { network } from '../../support/arbitrary-network.ts'

test('the configuration of a network leads back to it', () => {
  fc.assert(
    fc.property(network, (wanted) => {
      const document = documentOf(wanted)
      expect(ConfigSchema.safeParse(document).error).toBeUndefined()
      expect(normalize(document, '/')).toEqual(wanted)
    }),
    { numRuns: 100 },
  )
})

test.each(['netns-lab', 'vlan-bridges'])('that of %s is read as the network it was', (name) => {
  const given = loadConfigFile(`examples/${name}.json`)
  if (!given.ok) throw new Error(`examples/${name}.json`)
  const text = JSON.stringify(documentOf(given.network), null, 2)
  expect(loadConfig(text)).toEqual(given)
})

test('ports that no device is called after may have any name', () => {
  const ports = {
    'patch to the other side/bridge': { type: 'patch', peer: 'back%' },
    'a dummy: its name is long': { type: 'dummy' },
    'uplink of the second floor': { type: 'system', device: 'eno1' },
  }
  const back = { 'back%': { type: 'patch', peer: 'patch to the other side/bridge' } }
  const given = loadConfig(JSON.stringify({ bridges: { br0: { ports }, br1: { ports: back } } }))
  if (!given.ok) throw new Error(JSON.stringify(given))
  expect(documentOf(given.network).bridges).toEqual({ br0: { ports }, br1: { ports: back } })
})
