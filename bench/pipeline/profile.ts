/** Where the time goes while frames are forwarded in memory. */
import { type Profiler, Session } from 'node:inspector'
import { SCENARIOS } from './topologies.ts'
import { turnOf, warmUp } from './turn.ts'

const SECONDS = 2
/** Microseconds between two samples. */
const INTERVAL = 200
/** More than have an entry in the exact-match cache each would show the caches, not the way of a frame. */
const FLOWS = 1000

/** A profile of all scenarios, one after the other, in the format of the developer tools. */
export async function profileForwarding(): Promise<Profiler.Profile> {
  const session = new Session()
  session.connect()
  const post = (method: string, params: object = {}) =>
    new Promise<object | undefined>((resolve, reject) =>
      session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error))),
    )
  const turns = Object.entries(SCENARIOS).map(([name, build]) => {
    const pipeline = build({ size: 64, flows: FLOWS })
    const turn = turnOf(pipeline)
    warmUp(name, pipeline, turn, FLOWS)
    return turn
  })
  await post('Profiler.enable')
  await post('Profiler.setSamplingInterval', { interval: INTERVAL })
  await post('Profiler.start')
  for (const turn of turns) forSeconds(turn, SECONDS)
  const { profile } = (await post('Profiler.stop')) as Profiler.StopReturnType
  session.disconnect()
  return profile
}

function forSeconds(turn: () => unknown, seconds: number): void {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) turn()
}
