import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OpenVswitch } from '../support/ovs.ts'

const FRAME = Uint8Array.from(Buffer.from(`0200000000020200000000010800${'00'.repeat(46)}`, 'hex'))

describe('a private Open vSwitch', () => {
  let ovs: OpenVswitch
  beforeAll(async () => {
    ovs = await OpenVswitch.start()
    await ovs.addBridge('br0', { ports: ['p1', 'p2', 'p3'] })
  })
  afterAll(() => ovs.stop())

  it('forwards nothing without flows and by its flows when it has some', async () => {
    expect(await ovs.send('p1', FRAME)).toEqual([])
    await ovs.ofctlInput(
      'in_port=1,actions=mod_vlan_vid:5,output:2,strip_vlan,output:3\n',
      'add-flows',
      'br0',
      '-',
    )
    const tagged = Uint8Array.from([...FRAME.subarray(0, 12), 0x81, 0, 0, 5, ...FRAME.subarray(12)])
    expect(await ovs.send('p1', FRAME)).toEqual([
      { port: 'p2', frame: tagged },
      { port: 'p3', frame: FRAME },
    ])
    expect(await ovs.send('p2', FRAME)).toEqual([])
  })

  it('gives the error of a command that fails', async () => {
    await expect(ovs.appctl('no-such-command')).rejects.toThrow('not a valid command')
    expect((await ovs.tryOfctl('add-flow', 'br0', 'actions=nonsense')).code).toBe(1)
  })

  it('leaves nothing behind', async () => {
    const other = await OpenVswitch.start()
    await other.addBridge('br0', { ports: ['p1'], failMode: 'standalone' })
    expect(await other.send('p1', FRAME)).toEqual([])
    expect(await ovs.ofctl('dump-flows', 'br0')).toContain('in_port=1 actions=mod_vlan_vid:5')
    await other.stop()
    expect(existsSync(other.directory)).toBe(false)
    await expect(other.appctl('version')).rejects.toThrow()
  })
})
