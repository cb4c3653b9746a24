import type { Background, World } from './world.ts'

/** tcpdump on an interface, listening from the moment `sniff` returns. */
export class Sniffer {
  readonly #tcpdump: Background
  constructor(tcpdump: Background) {
    this.#tcpdump = tcpdump
  }

  /** What it has printed up to now: a line a frame, with the options it was given. */
  get text(): string {
    return this.#tcpdump.stdout
  }

  /** Lines up to now that match. */
  lines(pattern: RegExp): string[] {
    return this.text.split('\n').filter((line) => pattern.test(line))
  }

  /** Resolves once the lines up to now match `pattern`. */
  async saw(pattern: RegExp, timeout = 15_000): Promise<RegExpExecArray> {
    return this.#tcpdump.waitFor(pattern, timeout)
  }

  /** Ends it and gives everything it has printed. */
  async stop(): Promise<string> {
    await this.#tcpdump.stop('SIGINT')
    return this.text
  }
}

/**
 * @param options further options of tcpdump, such as `-e` (link header) or `-v`
 * @param filter a pcap filter; everything when absent
 */
export async function sniff(
  world: World,
  netns: string,
  {
    device = 'eth0',
    options = [],
    filter = [],
  }: { device?: string; options?: string[]; filter?: string[] } = {},
): Promise<Sniffer> {
  const argv = ['tcpdump', '-nl', '--immediate-mode', '-i', device, ...options, ...filter]
  const tcpdump = world.spawn(argv, { netns })
  await tcpdump.waitFor(/listening on/)
  return new Sniffer(tcpdump)
}
