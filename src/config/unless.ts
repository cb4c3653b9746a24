/** The value, unless it is what holds anyway. */
export function unless<T>(usual: T, value: T): T | undefined {
  return value === usual ? undefined : value
}
