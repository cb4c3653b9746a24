import { parseMatch } from '../../protocols/openflow/text/match-parse.ts'
import { keyValues } from '../../protocols/openflow/text/scan.ts'

/** Which part of a flow is wrong, and what about it. @param message what its parser says */
export function blameOf(
  text: string,
  numberOf: (name: string) => number | undefined,
  message: string,
): string {
  for (const [key, value] of keyValues(text)) {
    try {
      parseMatch(value === '' ? key : `${key}=${value}`, { ports: { numberOf, nameOf: () => undefined } })
    } catch (error) {
      const { message: reason } = error as Error
      return reason.startsWith('unknown keyword')
        ? `unknown field ${key}`
        : `bad value for ${key} (${reason})`
    }
  }
  return message
}
