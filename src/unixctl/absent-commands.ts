/**
 * Commands of protocols that no port here runs (bonds, LACP, spanning trees, CFM, BFD, auto-attach): answered as Open
 * vSwitch does where none is configured.
 */
import { hashStation } from '../../engine/flow/openflow-hash.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'

/** Asked of one, which does not exist; without argument, of all. */
function ofNone(name: string, usage: string, refusal: string, all = ''): UnixctlCommand {
  return {
    name,
    usage,
    min: 0,
    max: 1,
    run: (args) => {
      if (args.length === 1) throw new UnixctlError(refusal)
      return all
    },
  }
}

function bondCommand(name: string, usage: string, args: number): UnixctlCommand {
  return {
    name,
    usage,
    min: args,
    max: args,
    run: () => {
      throw new UnixctlError('no such bond')
    },
  }
}

/** A fault or a forwarding state that is set: of one, or of all. */
function setter(name: string, usage: string, refusal: string): UnixctlCommand {
  return {
    name,
    usage,
    min: 1,
    max: 2,
    run: (args) => {
      if (args.length === 2) throw new UnixctlError(refusal)
      return 'OK'
    },
  }
}

const BOND_MASK = 0xff

/** Which of a bond's 256 shares a station's frames fall into. */
function bondHash([address, tag = '0', seed = '0']: readonly string[]): string {
  const number = (text: string, name: string) => {
    if (!/^\d/.test(text)) throw new UnixctlError(`invalid ${name}`)
    return Number.parseInt(text, 10) >>> 0
  }
  const vlan = number(tag, 'vlan')
  const basis = number(seed, 'basis')
  const mac = parseMac(address)
  if (mac === undefined) throw new UnixctlError('invalid mac')
  return String(hashStation(mac, vlan, basis) & BOND_MASK)
}

export function absentCommands(): UnixctlCommand[] {
  return [
    { name: 'bond/list', usage: '', min: 0, max: 0, run: () => 'bond\ttype\trecircID\tmembers\n' },
    ofNone('bond/show', '[port]', 'no such bond'),
    bondCommand('bond/migrate', 'port hash member', 3),
    bondCommand('bond/set-active-member', 'port member', 2),
    bondCommand('bond/enable-member', 'port member', 2),
    bondCommand('bond/disable-member', 'port member', 2),
    { name: 'bond/hash', usage: 'mac [vlan] [basis]', min: 1, max: 3, run: bondHash },
    ofNone('lacp/show', '[port]', 'no such lacp object'),
    ofNone('lacp/show-stats', '[port]', 'no such lacp object'),
    ofNone('stp/show', '[bridge]', 'no such stp object'),
    ofNone('stp/tcn', '[bridge]', 'no such stp object', 'OK'),
    ofNone('rstp/show', '[bridge]', 'No such RSTP object'),
    ofNone('rstp/tcn', '[bridge]', 'No such RSTP object', 'OK'),
    ofNone('cfm/show', '[interface]', 'no such CFM object'),
    setter('cfm/set-fault', '[interface] normal|false|true', 'no such CFM object'),
    ofNone('bfd/show', '[interface]', 'no such bfd object'),
    setter('bfd/set-forwarding', '[interface] normal|false|true', 'no such BFD object'),
    ...['autoattach/status', 'autoattach/show-isid', 'autoattach/statistics'].map((name) => ({
      name,
      usage: '[bridge]',
      min: 0,
      max: 1,
      run: () => '',
    })),
  ]
}
