import { readFileSync } from 'node:fs'

export interface SystemRelease {
  readonly type: string
  readonly version: string
}

/** What os-release(5) calls the operating system; "unknown" where it does not say. */
export function systemRelease(path = '/etc/os-release'): SystemRelease {
  const words = new Map<string, string>()
  try {
    for (const [, word, value] of readFileSync(path, 'utf8').matchAll(/^(\w+)=["']?(.*?)["']?$/gm)) {
      words.set(word!, value!)
    }
  } catch {
    // Not every system has one.
  }
  return { type: words.get('ID') ?? 'unknown', version: words.get('VERSION_ID') ?? 'unknown' }
}
