/**
 * What Open vSwitch lets choose between, where there is one way here: implementations of one task for different
 * processors, and the workings of its datapath's threads. Choosing the one there is succeeds.
 */
import { type UnixctlCommand, UnixctlError } from './command-registry.ts'
import { dpctlError } from './dpctl-arguments.ts'

const NOT_SUPPORTED = 'Operation not supported'

/** Answers what is there. */
function only(name: string, answer: string, usage = '', max = 0): UnixctlCommand {
  return { name, usage, min: 0, max, run: () => answer }
}

function chooser(
  name: string,
  usage: string,
  max: number,
  known: string,
  chosen: string,
  refusal: (asked: string) => string,
): UnixctlCommand {
  return {
    name,
    usage,
    min: 1,
    max,
    run: (args) => {
      const asked = args.find((arg, i) => !arg.startsWith('-') && args[i - 1] !== '-pmd')
      if (asked !== known) throw new UnixctlError(refusal(asked ?? args[0]))
      return chosen
    },
  }
}

/** A datapath consists of its bridges and their ports: nobody changes it by itself. */
function refused(name: string, usage: string, min: number, max: number, what: string): UnixctlCommand {
  return {
    name,
    usage,
    min,
    max,
    run: () => {
      throw dpctlError(what, NOT_SUPPORTED)
    },
  }
}

const MANY = Number.MAX_SAFE_INTEGER
const LOG_USAGE = 'on|off [-b before] [-a after] [-e|-ne] [-us usec] [-q qlen]'

export function choiceCommands(): UnixctlCommand[] {
  return [
    only('dpif-netdev/dpif-impl-get', 'Available DPIF implementations:\n  dpif_scalar (pmds: none)\n'),
    chooser(
      'dpif-netdev/dpif-impl-set',
      'dpif_implementation_name',
      1,
      'dpif_scalar',
      'DPIF implementation set to dpif_scalar.\n',
      (asked) => `DPIF implementation not available: Unknown DPIF implementation ${asked}.\n`,
    ),
    only(
      'dpif-netdev/miniflow-parser-get',
      'Available MFEX implementations:\n  scalar (available: True pmds: none)\n',
    ),
    chooser(
      'dpif-netdev/miniflow-parser-set',
      '[-pmd core] miniflow_implementation_name [study_pkt_cnt]',
      5,
      'scalar',
      'Miniflow extract implementation set to scalar.\n',
      (asked) => `Error: unknown miniflow extract implementation ${asked}.\n`,
    ),
    only(
      'dpif-netdev/subtable-lookup-info-get',
      'Available dpcls implementations:\n  generic (Use count: 0, Priority: 1)\n',
    ),
    chooser(
      'dpif-netdev/subtable-lookup-prio-set',
      '[lookup_func] [prio]',
      2,
      'generic',
      'Lookup priority change affected 0 dpcls ports and 0 subtables.\n',
      () => 'error, subtable lookup function not found\n',
    ),
    only(
      'odp-execute/action-impl-show',
      'Available Actions implementations:\n  scalar (available: Yes, active: Yes)\n',
    ),
    chooser(
      'odp-execute/action-impl-set',
      'name',
      1,
      'scalar',
      'Action implementation set to scalar.\n',
      (asked) => `Error: unknown action implementation, ${asked}, specified!\n`,
    ),
    only('dpif-netdev/bond-show', '', '[dp]', 1),
    only('dpif-netdev/pmd-rxq-rebalance', 'pmd rxq rebalance requested.\n', '[dp]', 1),
    {
      name: 'dpif-netdev/pmd-perf-log-set',
      usage: LOG_USAGE,
      min: 0,
      max: 10,
      // No thread's iterations are watched: switching it off is all that can be done.
      run: ([state]) => {
        if (state !== 'off') {
          throw new UnixctlError(
            state === 'on'
              ? NOT_SUPPORTED
              : `Usage: ovs-appctl dpif-netdev/pmd-perf-log-set [on|off] ${LOG_USAGE.slice(7)}\n`,
          )
        }
        return ''
      },
    },
    refused('dpctl/add-dp', 'dp [iface...]', 1, MANY, 'add_dp'),
    refused('dpctl/del-dp', 'dp', 1, 1, 'del_dp'),
    refused('dpctl/add-if', 'dp iface...', 2, MANY, 'add_if'),
    refused('dpctl/set-if', 'dp iface...', 2, MANY, 'set_if'),
    refused('dpctl/del-if', 'dp iface...', 2, MANY, 'del_if'),
  ]
}
