/** What ofctl and controller say to mistakes, before there is a switch to say it to. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { switchAddress } from '../../../src/ofctl/switch-address.ts'
import { parseVersions } from '../../../src/ofctl/versions.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { runCli } from '../cli/run-cli.ts'
import { serve, testRundir } from '../control/handlers.ts'

describe('ofctl refuses', () => {
  test.each([
    [['dump-flows'], 2, 'dump-flows takes other arguments than these.'],
    [['show', 'br0', 'p1'], 2, 'show takes other arguments than these.'],
    [['dance', 'br0'], 2, 'dance'],
    [['-O', 'OpenFlow16', 'show', 'br0'], 2, '"OpenFlow16" is no version of OpenFlow.'],
    [['--sort=colour', 'dump-flows', 'br0'], 2, '"colour" is no field to sort by.'],
    [['show', 'br0'], 4, 'br0 is not a bridge or a socket.'],
    [['show', 'udp:1.2.3.4'], 2, '"udp:1.2.3.4" is no switch that can be connected to.'],
    [['show', 'tcp:127.0.0.1:1'], 1, 'tcp:127.0.0.1:1 cannot be connected to:'],
    [['mod-port', 'br0', 'p1', 'sideways'], 2, '"sideways" is no setting of a port.'],
    [['mod-table', 'br0', '0', 'shine'], 2, '"shine" is no setting of a table.'],
    [['add-meter', 'br0', 'kbps'], 2, 'must specify "meter".'],
    [
      ['-p', 'key.pem', 'show', 'br0'],
      2,
      'For ssl: a private key, a certificate and a CA certificate are needed.',
    ],
  ])('%j', async (args, code, why) => {
    const result = await runCli(['ofctl', '--rundir', testRundir(), ...args])
    expect(result.err).toContain(why)
    expect(result.err).toContain('hint:')
    expect(result.code).toBe(code)
    expect(result.out).toBe('')
  })
})

describe('controller refuses', () => {
  test.each([
    [['smoke:signals'], 2, '"smoke:signals" is no OpenFlow connection.'],
    [['--max-idle', 'never', 'ptcp:0'], 2, 'It must be a number of seconds'],
    [['-Q', 'eth0', 'ptcp:0'], 2, '"eth0" is no port and queue.'],
    [['--with-flows', '/nowhere/flows', 'ptcp:0'], 1, '/nowhere/flows cannot be read'],
    [['ptcp:0:192.0.2.1'], 6, 'ptcp:0:192.0.2.1 cannot be listened at:'],
  ])('%j', async (args, code, why) => {
    const result = await runCli(['controller', ...args])
    expect(result.err).toContain(why)
    expect(result.code).toBe(code)
  })

  test('a file with a bad flow, by its line', async () => {
    const path = join(testRundir(), 'flows')
    writeFileSync(path, '# two flows\nin_port=eth0,actions=2\ntcp,action\n')
    const result = await runCli(['controller', '--with-flows', path, 'ptcp:0'])
    expect(result.err).toContain(`${path}:3: must specify an action.`)
    expect(result.code).toBe(2)
  })
})

test('trace asks the running switch', async () => {
  const { rundir } = await serve()
  const result = await runCli(['trace', '--rundir', rundir, 'br0', 'in_port=1,tcp'])
  expect(result).toEqual({ code: 0, out: 'Flow: in_port=1,tcp\n\nbridge("br0")\n', err: '' })
})

test('switches are named by address, bridge or path', () => {
  const rundir = testRundir()
  writeFileSync(join(rundir, 'br0.mgmt'), '')
  writeFileSync(join(rundir, 'br0.snoop'), '')
  const unix = (name: string) => parseOfAddress(`unix:${join(rundir, name)}`)
  expect(switchAddress('br0', rundir)).toEqual(unix('br0.mgmt'))
  expect(switchAddress('br0', rundir, 'snoop')).toEqual(unix('br0.snoop'))
  expect(switchAddress(join(rundir, 'br0.mgmt'), '/nowhere')).toEqual(unix('br0.mgmt'))
  expect(switchAddress('tcp:[::1]:6654', rundir)).toMatchObject({ host: '::1', port: 6654 })
  expect(() => switchAddress('ptcp:6653', rundir)).toThrow('no switch')
})

test('versions', () => {
  expect(parseVersions('OpenFlow10,OpenFlow1.3')).toBe((1 << 1) | (1 << 4))
  expect(parseVersions('openflow15')).toBe(1 << 6)
})
