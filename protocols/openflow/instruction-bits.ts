/** Numbers of instructions, OFPIT_*. */

import type { Instruction } from './table-features.ts'
import { OF13, OF14, type OfVersion } from './version.ts'

const INSTRUCTIONS: readonly (Instruction | undefined)[] = [
  undefined,
  'goto_table',
  'write_metadata',
  'write_actions',
  'apply_actions',
  'clear_actions',
  'meter',
]

/** The meter instruction is there in 1.3 and 1.4 only: from 1.5 on it is an action. */
export function instructionOfNumber(number: number, version: OfVersion): Instruction | undefined {
  const name = INSTRUCTIONS[number]
  return name === 'meter' && version !== OF13 && version !== OF14 ? undefined : name
}

/** In ascending order; those that the version lacks are left out. */
export function instructionNumbers(names: readonly Instruction[], version: OfVersion): number[] {
  const numbers: number[] = []
  for (let n = 1; n < INSTRUCTIONS.length; n++) {
    const name = instructionOfNumber(n, version)
    if (name !== undefined && names.includes(name)) numbers.push(n)
  }
  return numbers
}

export function instructionBits(names: readonly Instruction[], version: OfVersion): number {
  return instructionNumbers(names, version).reduce((bits, n) => bits | (1 << n), 0)
}

export function instructionsOfBits(bits: number, version: OfVersion): Instruction[] {
  const names: Instruction[] = []
  for (let n = 1; n < INSTRUCTIONS.length; n++) {
    const name = instructionOfNumber(n, version)
    if (name !== undefined && (bits & (1 << n)) !== 0) names.push(name)
  }
  return names
}
