/** Arguments of dpctl commands: options, perhaps a datapath, then what the command is about. */
import { UnixctlError } from './command-registry.ts'
import { type DatapathView, datapaths, type SwitchView } from './switch-view.ts'

/** What went wrong in the words of ovs-dpctl, whose name here is that of the daemon. */
export function dpctlError(text: string, reason?: string): UnixctlError {
  return new UnixctlError(`ovs-vswitchd: ${text}${reason === undefined ? '' : ` (${reason})`}`)
}

export const INVALID = 'Invalid argument'

export interface DpctlArguments {
  readonly options: ReadonlySet<string>
  readonly rest: readonly string[]
}

/** Options stand before or behind; a negative number is none. */
export function splitArguments(args: readonly string[]): DpctlArguments {
  const options = new Set(args.filter((arg) => /^-[^\d]/.test(arg)))
  return { options, rest: args.filter((arg) => !options.has(arg)) }
}

/**
 * The datapath that the first argument names, or the only one there is; and the other arguments.
 * @param others how many of those there may be
 * @throws UnixctlError
 */
export async function takeDatapath(
  view: SwitchView,
  rest: readonly string[],
  others = Number.POSITIVE_INFINITY,
): Promise<{ datapath: DatapathView; rest: readonly string[] }> {
  const all = await datapaths(view)
  const named = rest.length === 0 ? undefined : findDatapath(all, rest[0])
  if (named !== undefined) return { datapath: named, rest: rest.slice(1) }
  if (rest.length > others) nothingLeft(rest)
  if (all.length === 0) throw dpctlError('no datapaths exist', INVALID)
  if (all.length > 1) throw dpctlError('specify a datapath', INVALID)
  return { datapath: all[0], rest }
}

export function findDatapath(all: readonly DatapathView[], name: string): DatapathView | undefined {
  return all.find((datapath) => datapath.name === name || `ovs-${datapath.type}` === name)
}

/** Where an argument is left that could only have been a datapath. @throws UnixctlError */
export function nothingLeft(rest: readonly string[]): void {
  if (rest.length > 0) throw dpctlError('datapath not found', INVALID)
}
