/** dpif/show-dp-features and dpif/set-dp-features: what translations may ask of a datapath. */
import type { UnixctlCommand } from './command-registry.ts'
import { bridgeNamed, type SwitchView } from './switch-view.ts'

interface Feature {
  /** As it is set. */
  readonly field: string
  /** As it is shown. */
  readonly title: string
  /** What the datapath has: whether it can, or how many or how high. */
  readonly most: boolean | number
}

const feature = (field: string, title: string, most: boolean | number): Feature => ({ field, title, most })

const FEATURES: readonly Feature[] = [
  feature('masked_set_action', 'Masked set action', true),
  feature('tnl_push_pop', 'Tunnel push pop', false),
  feature('ufid', 'Ufid', true),
  feature('trunc', 'Truncate action', true),
  feature('clone', 'Clone action', true),
  feature('sample_nesting', 'Sample nesting', 1),
  feature('ct_eventmask', 'Conntrack eventmask', false),
  feature('ct_clear', 'Conntrack clear', true),
  feature('max_hash_alg', 'Max dp_hash algorithm', 1),
  feature('check_pkt_len', 'Check pkt length action', true),
  feature('ct_timeout', 'Conntrack timeout policy', false),
  feature('explicit_drop_action', 'Explicit Drop action', true),
  feature('lb_output_action', 'Optimized Balance TCP mode', false),
  feature('ct_zero_snat', 'Conntrack all-zero IP SNAT', true),
  feature('add_mpls', 'MPLS Label add', true),
  feature('max_vlan_headers', 'Max VLAN headers', 2),
  feature('max_mpls_depth', 'Max MPLS depth', 3),
  feature('recirc', 'Recirc', true),
  feature('ct_state', 'CT state', true),
  feature('ct_zone', 'CT zone', true),
  feature('ct_mark', 'CT mark', true),
  feature('ct_label', 'CT label', true),
  feature('ct_state_nat', 'CT state NAT', true),
  feature('ct_orig_tuple', 'CT orig tuple', true),
  feature('ct_orig_tuple6', 'CT orig tuple for IPv6', true),
  feature('nd_ext', 'IPv6 ND Extension', false),
]

/** Set values by field; all bridges of a datapath share them. */
type SetValues = Map<string, boolean | number>

/**
 * What is set is told by dpif/set-dp-features, and that is all it does: the translation makes programs for this
 * datapath only and never asks whether that can do a thing, so flows go on as before. dpif/show-dp-features tells what
 * there was at the start, as in Open vSwitch.
 */
export function featureCommands(view: SwitchView): UnixctlCommand[] {
  const byDatapath = new Map<string, SetValues>()
  const valuesOf = (bridge: string): SetValues => {
    const { datapathType } = bridgeNamed(view, bridge)
    const values = byDatapath.get(datapathType) ?? new Map()
    byDatapath.set(datapathType, values)
    return values
  }
  return [
    {
      name: 'dpif/show-dp-features',
      usage: 'bridge',
      min: 1,
      max: 1,
      run: ([bridge]) => {
        bridgeNamed(view, bridge)
        return FEATURES.map(({ title, most }) => {
          return `${title}: ${typeof most === 'number' ? most : most ? 'Yes' : 'No'}\n`
        }).join('')
      },
    },
    {
      name: 'dpif/set-dp-features',
      usage: 'bridge',
      min: 1,
      max: 3,
      run: ([bridge, field, text]) => {
        const values = valuesOf(bridge)
        if (field === undefined) return FEATURES.map((each) => `${described(each, values)}\n`).join('')
        const chosen = FEATURES.find((each) => each.field === field)
        if (chosen === undefined) return 'Unexpected support field'
        return text === undefined ? described(chosen, values) : set(chosen, text, values)
      },
    },
  ]
}

function described({ field, title, most }: Feature, values: SetValues): string {
  return `${field} (${title}) : [run time]:${values.get(field) ?? most}, [boot time]:${most}`
}

/** @returns nothing, or why not: refusals come as answers, as in Open vSwitch */
function set({ field, most }: Feature, text: string, values: SetValues): string {
  const value = typeof most === 'boolean' ? booleanIn(text) : integerIn(text)
  if (value === undefined) return `${typeof most === 'boolean' ? 'Boolean value' : 'Integer number'} expected`
  if (typeof value === 'number' && value < 0) return 'Negative number not expected'
  if (value > most) return 'Can not set value beyond the datapath capability'
  values.set(field, value)
  return ''
}

function booleanIn(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined
}

/** A decimal of 32 bits. */
function integerIn(text: string): number | undefined {
  const value = /^\s*[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  return value === (value | 0) ? value : undefined
}
