/** The arithmetic of "mutate" (RFC 7047 §5.1): 64-bit integers that do not wrap, finite reals. */

import { OvsdbError } from './error.ts'
import { INT64_MAX, INT64_MIN, integer } from './json-value.ts'

export type Operator = '+=' | '-=' | '*=' | '/=' | '%='

function overflow(operator: Operator): OvsdbError {
  return new OvsdbError('range error', `Result of "${operator}" operation is out of range.`)
}

function divisionByZero(): OvsdbError {
  return new OvsdbError('domain error', 'Division by zero.')
}

/** Quotients are cut off towards zero, remainders have the sign of the dividend. */
export function integerResult(operator: Operator, x: number | bigint, y: number | bigint): number | bigint {
  const divides = operator === '/=' || operator === '%='
  // Zero is safe, and so never a bigint.
  if (divides && y === 0) throw divisionByZero()
  if (typeof x === 'number' && typeof y === 'number') {
    const result = divides ? Math.trunc(compute(operator, x, y)) : compute(operator, x, y)
    if (Number.isSafeInteger(result)) return result + 0
  }
  const a = BigInt(x)
  const b = BigInt(y)
  // In C, where this rule comes from, the remainder is out of range when the quotient is.
  const result = compute(operator, a, b)
  if (result < INT64_MIN || result > INT64_MAX || (divides && a === INT64_MIN && b === -1n)) {
    throw overflow(operator)
  }
  return integer(result)
}

export function realResult(operator: Exclude<Operator, '%='>, x: number, y: number): number {
  if (operator === '/=' && y === 0) throw divisionByZero()
  const result = compute(operator, x, y)
  if (!Number.isFinite(result)) throw overflow(operator)
  return result + 0
}

function compute(operator: Operator, x: number, y: number): number
function compute(operator: Operator, x: bigint, y: bigint): bigint
function compute(operator: Operator, x: number | bigint, y: number | bigint): number | bigint {
  // Both are of one type, as the signatures say.
  const a = x as number
  const b = y as number
  switch (operator) {
    case '+=':
      return a + b
    case '-=':
      return a - b
    case '*=':
      return a * b
    case '/=':
      return a / b
    case '%=':
      return a % b
  }
}
