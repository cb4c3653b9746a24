/**
 * Asks again until the answer is neither undefined nor false, and gives it; throws after `timeout` ms, with
 * what `describe` says about how things stand. For conditions that nothing announces.
 */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  timeout = 60_000,
  describe: () => string | Promise<string> = () => '',
): Promise<T> {
  const end = performance.now() + timeout
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`not within ${timeout} ms: ${what}\n${await describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
