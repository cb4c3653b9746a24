import { join } from 'node:path'
import { type Background, ROOT, type World } from './world.ts'

const PROGRAM = join(ROOT, 'dist/test/support/programs/echo.js')

/** Command line of the echo program of programs/echo.ts, which says what the roles and arguments are. */
export function echoCommand(
  role: 'serve' | 'connect' | 'pipe' | 'datagrams',
  ...args: readonly (string | number)[]
): string[] {
  return [process.execPath, PROGRAM, role, ...args.map(String)]
}

/** An echo server on TCP and UDP, listening when this returns. */
export async function echoServer(world: World, netns: string, port: number): Promise<Background> {
  const server = world.spawn(echoCommand('serve', port), { netns })
  await server.waitFor(/listening/)
  return server
}
