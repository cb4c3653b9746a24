import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'

function load(bridge: object, top: object = {}) {
  return loadConfig(JSON.stringify({ bridges: { br0: bridge }, ...top }), '/etc/lab')
}

function bridgeOf(bridge: object, top: object = {}) {
  const result = load(bridge, top)
  if (!result.ok) throw new Error(result.errors.map((e) => e.message).join('\n'))
  return result.network.bridges[0]!.openflow
}

test('a bridge that says nothing speaks every version and has no controllers', () => {
  expect(bridgeOf({})).toEqual({
    controllers: [],
    failMode: 'standalone',
    versions: 0b111_1110,
    flowTables: [],
  })
})

test('controllers, versions and fail mode', () => {
  const openflow = bridgeOf({
    controllers: [
      'tcp:10.0.0.9',
      { target: 'ptcp:', maxBackoff: 1000, inactivityProbe: 0, rateLimit: 7, dscp: 8 },
    ],
    failMode: 'secure',
    protocols: ['OpenFlow13', 'OpenFlow10'],
  })
  expect(openflow).toEqual({
    controllers: [
      {
        target: 'tcp:10.0.0.9',
        maxBackoff: 8000,
        inactivityProbe: 5000,
        rateLimit: 0,
        burstLimit: 0,
        dscp: 48,
      },
      { target: 'ptcp:', maxBackoff: 1000, inactivityProbe: 0, rateLimit: 7, burstLimit: 0, dscp: 8 },
    ],
    failMode: 'secure',
    versions: 0b1_0010,
    flowTables: [],
  })
})

test('keys are found from where the file is', () => {
  const files = { privateKey: 'key.pem', certificate: '/pki/cert.pem', caCert: '../ca.pem' }
  const ssl = { ...files, bootstrapCaCert: true }
  const result = load({ controllers: ['ssl:10.0.0.9'] }, { ssl })
  expect(result).toMatchObject({
    ok: true,
    network: {
      ssl: {
        privateKey: '/etc/lab/key.pem',
        certificate: '/pki/cert.pem',
        caCert: '/etc/ca.pem',
        bootstrapCaCert: true,
      },
    },
  })
})

test.each([
  [{ controllers: ['10.0.0.9'] }, 'bridges.br0.controllers[0]', 'a controller such as'],
  [{ controllers: ['tcp:10.0.0.9:x'] }, 'bridges.br0.controllers[0]', 'an address such as'],
  [{ controllers: [{ target: 'tcp:' }] }, 'bridges.br0.controllers[0].target', 'an address such as'],
  [{ controllers: ['tcp:h', 'tcp:h'] }, 'bridges.br0.controllers[1]', 'not named yet (it is by'],
  [{ controllers: ['ssl:h'] }, 'bridges.br0.controllers[0]', 'keys for TLS'],
  [{ flowTables: { 254: {} } }, 'bridges.br0.flowTables.254', 'the number of a table'],
  [
    { flowTables: { 7: { overflowPolicy: 'x' } } },
    'bridges.br0.flowTables.7.overflowPolicy',
    'one of "refuse"',
  ],
  [{ failMode: 'open' }, 'bridges.br0.failMode', 'one of "standalone", "secure"'],
  [{ protocols: ['OpenFlow16'] }, 'bridges.br0.protocols[0]', 'one of "OpenFlow10"'],
])('%j is wrong', (bridge, path, expected) => {
  const result = load(bridge)
  if (result.ok) throw new Error('accepted')
  expect(result.errors).toHaveLength(1)
  expect(result.errors[0]!.message).toContain(path)
  expect(result.errors[0]!.message).toContain(expected)
})
