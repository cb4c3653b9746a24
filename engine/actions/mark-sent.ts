import { OP_ENQUEUE, OP_OUTPUT, OP_SAMPLE, OPERANDS, SAMPLE_SENT } from './ops.ts'
import type { ProgramBuilder } from './program-builder.ts'

/**
 * Collectors are told whether a sampled packet went anywhere, and that is known only when the program is
 * complete: its samples get SAMPLE_SENT if it has an output, wherever that stands.
 */
export function markSent({ code, length }: ProgramBuilder): void {
  let sent = false
  for (let pc = 0; pc < length; pc += 1 + OPERANDS[code[pc]]) sent ||= isOutput(code[pc])
  if (!sent) return
  // Copies and branches lie in the program like everything else, their ends too.
  for (let pc = 0; pc < length; pc += 1 + OPERANDS[code[pc]]) {
    if (code[pc] === OP_SAMPLE) code[pc + OPERANDS[OP_SAMPLE]] |= SAMPLE_SENT
  }
}

function isOutput(op: number): boolean {
  return op === OP_OUTPUT || op === OP_ENQUEUE
}
