import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'

const load = (bridge: object) => loadConfig(JSON.stringify({ bridges: { br0: bridge } }))

function ipfixOf(bridge: object) {
  const result = load(bridge)
  if (!result.ok) throw new Error(result.errors.map((e) => e.message).join('\n'))
  return result.network.bridges[0]!.ipfix
}

test('a bridge that says nothing, or names no collector, exports nothing', () => {
  expect(ipfixOf({})).toBeUndefined()
  expect(ipfixOf({ ipfix: { targets: [] }, flowSampleCollectorSets: { 1: { targets: [] } } })).toBeUndefined()
})

test('what is absent is as in Open vSwitch', () => {
  const targets = ['10.0.0.9', '[fd00::9]:2055']
  const cache = { cacheActiveTimeout: 0, cacheMaxFlows: 0 }
  expect(ipfixOf({ ipfix: { targets }, flowSampleCollectorSets: { 0: { targets } } })).toEqual({
    all: { targets, ...cache, sampling: 400, obsDomainId: 0, obsPointId: 0, input: true, output: true },
    sets: [{ id: 0, targets, ...cache }],
  })
})

test('everything can be said', () => {
  const process = { targets: ['10.0.0.9:1'], cacheActiveTimeout: 60, cacheMaxFlows: 4096, virtualObsId: 'x' }
  const of = { sampling: 10, obsDomainId: 1, obsPointId: 4294967295 }
  const ipfix = { ...process, ...of, inputSampling: false, outputSampling: false }
  expect(ipfixOf({ ipfix, flowSampleCollectorSets: { 4294967295: process } })).toEqual({
    all: { ...process, ...of, input: false, output: false },
    sets: [{ id: 4294967295, ...process }],
  })
})

const targets = ['10.0.0.9']
test.each([
  [{ ipfix: {} }, 'bridges.br0.ipfix.targets', 'a list of collectors'],
  [{ ipfix: { targets: ['collector'] } }, 'bridges.br0.ipfix.targets[0]', 'the IP address of a collector'],
  [{ ipfix: { targets: ['fd00::9'] } }, 'bridges.br0.ipfix.targets[0]', 'a collector such as'],
  [{ ipfix: { targets: ['[10.0.0.9]'] } }, 'bridges.br0.ipfix.targets[0]', 'the IP address of a collector'],
  [{ ipfix: { targets: ['10.0.0.9:0'] } }, 'bridges.br0.ipfix.targets[0]', 'the IP address of a collector'],
  [
    { ipfix: { targets: ['10.0.0.9:65536'] } },
    'bridges.br0.ipfix.targets[0]',
    'the IP address of a collector',
  ],
  [
    { ipfix: { targets: ['10.0.0.9', '10.0.0.9:4739'] } },
    'bridges.br0.ipfix.targets[1]',
    'not named yet (it is by $.bridges.br0.ipfix.targets[0])',
  ],
  [{ ipfix: { targets, sampling: 0 } }, 'bridges.br0.ipfix.sampling', 'from 1 to 4294967295'],
  [
    { ipfix: { targets, cacheActiveTimeout: 4201 } },
    'bridges.br0.ipfix.cacheActiveTimeout',
    'from 0 to 4200',
  ],
  [
    { flowSampleCollectorSets: { one: { targets } } },
    'bridges.br0.flowSampleCollectorSets.one',
    'the number of a set',
  ],
  [
    { flowSampleCollectorSets: { 4294967296: { targets } } },
    'bridges.br0.flowSampleCollectorSets.4294967296',
    'the number of a set',
  ],
  [
    { flowSampleCollectorSets: { 1: { targets: ['10.0.0.9:'] } } },
    'bridges.br0.flowSampleCollectorSets.1.targets[0]',
    'a collector such as',
  ],
])('%j is wrong', (bridge, path, expected) => {
  const result = load(bridge)
  if (result.ok) throw new Error('accepted')
  expect(result.errors).toHaveLength(1)
  expect(result.errors[0]!.message).toContain(path)
  expect(result.errors[0]!.message).toContain(expected)
})
