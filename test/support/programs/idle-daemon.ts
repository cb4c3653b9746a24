/** A daemon that does nothing: for tests of what all daemons have. Its argument says how it fails. */
import type { DaemonProgram } from '../../../src/process/daemon-program.ts'
import { main } from '../../../src/process/main.ts'

const program: DaemonProgram = {
  name: 'idle-daemon',
  options: [{ long: 'color', argument: 'required' }],
  maxArguments: 1,
  cleansUp: true,
  help: () => 'idle-daemon: does nothing\n',
  ownHelp: () => '',
  async start({ arguments: [mode], commands, vlog }) {
    if (mode === 'fail') throw new Error('there is nothing to do')
    vlog.module('bridge').info('idle')
    commands.add({
      name: 'test/crash',
      usage: '',
      min: 0,
      max: 0,
      run: () => {
        setImmediate(() => {
          throw new Error('a mistake')
        })
        return ''
      },
    })
    const never = new Promise<void>((resolve) => setTimeout(resolve, 2 ** 30))
    return {
      ready:
        mode === 'late-failure'
          ? Promise.reject(new Error('not now'))
          : mode === 'never-ready'
            ? never
            : Promise.resolve(),
      close: async () => {},
    }
  },
}

await main(program)
