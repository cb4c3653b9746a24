import type { PacketInTemplate } from '../dpif-pipeline.ts'

/** Equal facts, and no others, have equal texts. */
export function textOfTemplate(template: PacketInTemplate): string {
  return JSON.stringify(template, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`
    return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value
  })
}
