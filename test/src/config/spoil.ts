import { expect, test } from 'vitest'
import { base, errorsOf, type Free } from './base.ts'

/** Name of the case; what is done to a valid configuration; path, what is found and what is expected there. */
export type Case = readonly [
  name: string,
  spoil: (c: Free) => void,
  ...errors: (readonly [string, string, string])[],
]

/** One test for each case: exactly these errors, in this order. */
export function testCases(cases: readonly Case[]): void {
  const named = cases.map(([name, spoil, ...expected]) => ({ name, spoil, expected }))
  test.each(named)('$name', ({ spoil, expected }) => {
    const config = base()
    spoil(config)
    expect(errorsOf(config).map((e) => [e.path, e.found, e.expected])).toEqual(expected)
  })
}
