/**
 * Forwards frames in every way that the bench knows until all is compiled, and goes on with V8 telling on standard
 * output whenever it throws away compiled code. Run by `test/engine/steady-state.test.ts`.
 */
import { setFlagsFromString } from 'node:v8'
import { SCENARIOS } from '../../bench/pipeline/topologies.ts'
import { turnOf, warmUp } from '../../bench/pipeline/turn.ts'

const FLOWS = 64
const WARM_UP_TURNS = 400
const STEADY_TURNS = 400

const turns = Object.entries(SCENARIOS).map(([name, build]) => {
  const pipeline = build({ size: 64, flows: FLOWS })
  const turn = turnOf(pipeline)
  warmUp(name, pipeline, turn, FLOWS)
  return turn
})

function rounds(count: number): void {
  for (let n = 0; n < count; n++) for (const turn of turns) turn()
}

/** Its code is thrown away on purpose, so that one sees that this is told. */
function witness(values: readonly unknown[]): number {
  let sum = 0
  for (const value of values) sum += value as number
  return sum
}

const numbers = Array.from({ length: 1000 }, (_, i) => i)
for (let n = 0; n < 5000; n++) witness(numbers)
rounds(WARM_UP_TURNS)
setFlagsFromString('--trace-deopt')
rounds(STEADY_TURNS)
console.log('forwarded')
witness(['a string'])
