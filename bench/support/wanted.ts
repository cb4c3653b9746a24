/** Whether something is asked for: its name has one of the parts that are, or nothing is said. */
export function isWanted(name: string, parts: readonly string[] | undefined): boolean {
  return parts === undefined || parts.some((part) => name.includes(part))
}
