import { afterEach, beforeEach, expect, test } from 'vitest'
import { twoHosts } from '../support/labs.ts'
import { type Background, ROOT, World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world?.close())

/** Runs the daemon in a program that does `harm` to it once the network is up. */
async function startAndHarm(harm: string): Promise<Background> {
  const config = await world.file('config.json', twoHosts())
  const script = await world.file(
    'harm.mjs',
    `import { runDaemon } from '${ROOT}/dist/src/daemon/run-daemon.js'
     import { readConfig } from '${ROOT}/dist/src/cli/read-config.js'
     let worker
     process.once('worker', (made) => { worker = made })
     const configPath = ${JSON.stringify(config)}
     const daemon = await runDaemon({
       configPath, network: async () => readConfig(configPath), rundir: '/run/openvswitch', logLevel: 'info',
       onProgress: (line) => console.log(line),
     })
     console.log('up: harm follows')
     setTimeout(() => { ${harm} }, 200)
     await daemon.stopped.catch((error) => { console.log('broke: ' + error.message); process.exit(error.code) })`,
  )
  const program = world.spawn(['node', script])
  await program.waitFor(/^up: /m)
  return program
}

async function expectCleanedUp(): Promise<void> {
  expect((await world.ok(['ip', 'netns', 'list'])).trim()).toBe('')
  expect(await world.ok(['ls', '/run/openvswitch'])).toBe('vswitchd-ts.log\n')
}

test('a dataplane that dies ends the daemon with a code, and everything is taken back', async () => {
  const program = await startAndHarm('worker.terminate()')
  expect(await program.exited).toBe(1)
  expect(program.stdout).toContain('broke: The switch broke down: the dataplane thread ended')
  expect(program.stdout).not.toContain('warning:')
  await expectCleanedUp()
})

test('an error nobody caught ends the daemon with a code, and everything is taken back', async () => {
  const program = await startAndHarm('throw new Error("a mistake")')
  expect(await program.exited).toBe(1)
  expect(program.stdout).toContain('broke: The switch broke down: a mistake')
  await expectCleanedUp()
})

test('a promise nobody awaited ends the daemon with a code, and everything is taken back', async () => {
  const program = await startAndHarm('Promise.reject(new Error("forgotten"))')
  expect(await program.exited).toBe(1)
  expect(program.stdout).toContain('broke: The switch broke down: forgotten')
  await expectCleanedUp()
})
