/** dpctl/ipf-…: how fragments are put together before ct() sees them, ovs-vswitchd(8) "DATAPATH IP FRAGMENTATION". */
import type { FragmentSettings, FragmentStatus } from '../../engine/dpif-conntrack.ts'
import type { UnixctlCommand } from './command-registry.ts'
import { dpctlError, INVALID, splitArguments, takeDatapath } from './dpctl-arguments.ts'
import type { SwitchView } from './switch-view.ts'

const MIN_SIZE = 400
const MAX_FRAGMENTS = 5000
const DENIED = 'Operation not permitted'

export function dpctlFragmentCommands(view: SwitchView): UnixctlCommand[] {
  const { dpif } = view
  const change = async (part: (now: FragmentSettings) => Partial<FragmentSettings>) => {
    const { maximum, versions } = await dpif.ctFragments()
    await dpif.ctFragmentsPut({ maximum, versions, ...part({ maximum, versions }) })
  }
  const changeRule = (version: 0 | 1, part: Partial<FragmentSettings['versions'][0]>) =>
    change(({ versions: [v4, v6] }) => ({
      versions: version === 0 ? [{ ...v4, ...part }, v6] : [v4, { ...v6, ...part }],
    }))
  return [
    ...[true, false].map((enabled) => ({
      name: `dpctl/ipf-set-${enabled ? 'enabled' : 'disabled'}`,
      usage: '[dp] v4|v6',
      min: 1,
      max: 2,
      run: async (args: readonly string[]) => {
        const { rest } = await takeDatapath(view, args)
        await changeRule(versionOf(rest.at(-1)), { enabled })
        return `${enabled ? 'enabling' : 'disabling'} fragmentation reassembly successful`
      },
    })),
    {
      name: 'dpctl/ipf-set-min-frag',
      usage: '[dp] v4|v6 minfragment',
      min: 2,
      max: 3,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const version = versionOf(rest.at(-2), '')
        const minSize = numberOf(rest.at(-1), 'parameter missing for minimum fragment size')
        if (minSize < MIN_SIZE) {
          throw dpctlError('requested minimum fragment size too small; see documentation', DENIED)
        }
        await changeRule(version, { minSize })
        return 'setting minimum fragment size successful'
      },
    },
    {
      name: 'dpctl/ipf-set-max-nfrags',
      usage: '[dp] maxfrags',
      min: 1,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        const maximum = numberOf(rest.at(-1), 'parameter missing for maximum fragments')
        if (maximum > MAX_FRAGMENTS) throw dpctlError('setting maximum fragments failed', DENIED)
        await change(() => ({ maximum }))
        return 'setting maximum fragments successful'
      },
    },
    {
      name: 'dpctl/ipf-get-status',
      usage: '[dp]',
      min: 0,
      max: 2,
      // Datagrams under way are not told one by one (-m): they are gone within seconds.
      run: async (args) => {
        await takeDatapath(view, splitArguments(args).rest, 0)
        return format(await dpif.ctFragments())
      },
    },
  ]
}

/** @throws UnixctlError */
function versionOf(text: string | undefined, quote = "'"): 0 | 1 {
  if (text === undefined || !/^v[46]/.test(text)) {
    const [v4, v6] = ['v4', 'v6'].map((word) => quote + word + quote)
    throw dpctlError(`parameter missing: ${v4} for IPv4 or ${v6} for IPv6`, INVALID)
  }
  return text.startsWith('v4') ? 0 : 1
}

/** @throws UnixctlError */
function numberOf(text: string | undefined, otherwise: string): number {
  const digits = /^\d+/.exec(text ?? '')?.[0]
  if (digits === undefined) throw dpctlError(otherwise, INVALID)
  return Number(digits)
}

function format({ maximum, waiting, versions, counts }: FragmentStatus): string {
  const version = (i: 0 | 1) => {
    const name = i === 0 ? 'v4' : 'v6'
    const { accepted, completed, expired, tooSmall, overlapped, purged } = counts[i]
    return [
      `min ${name} frag size: ${versions[i].minSize}`,
      `${name} frags accepted: ${accepted}`,
      `${name} frags completed: ${completed}`,
      `${name} frags expired: ${expired}`,
      `${name} frags too small: ${tooSmall}`,
      `${name} frags overlapped: ${overlapped}`,
      `${name} frags purged: ${purged}`,
    ]
  }
  const lines = [
    'Fragmentation Module Status',
    '---------------------------',
    `v4 enabled: ${Number(versions[0].enabled)}`,
    `v6 enabled: ${Number(versions[1].enabled)}`,
    `max num frags (v4/v6): ${maximum}`,
    `num frag: ${waiting}`,
    ...version(0),
    ...version(1),
  ]
  return lines.map((line) => `        ${line}\n`).join('')
}
