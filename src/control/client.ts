import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { EXIT_ENVIRONMENT, EXIT_NOT_RUNNING } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { FirstLine } from './lines.ts'
import { type Methods, type Response, SOCKET_NAME, type Streams } from './protocol.ts'

function connectError(error: NodeJS.ErrnoException, path: string): CliError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') {
    return new CliError(`No switch is running in ${dirname(path)}.`, {
      code: EXIT_NOT_RUNNING,
      hint: 'Start one with `vswitchd-ts start CONFIG`; if it has another run directory, name it with --rundir.',
    })
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new CliError(`The switch in ${dirname(path)} may not be asked: permission denied.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'Run the command as root.',
    })
  }
  return new CliError(`The control socket ${path} cannot be reached: ${error.message}.`)
}

function open(rundir: string): Promise<Socket> {
  const path = join(rundir, SOCKET_NAME)
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const fail = (error: Error) => reject(connectError(error, path))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** Sends one request and reads its answer; what comes behind the answer stays in the socket. */
function exchange(socket: Socket, method: string, params: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const reader = new FirstLine()
    const finish = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    const onData = (chunk: Buffer) => {
      const first = reader.push(chunk)
      if (first === undefined) return
      finish()
      socket.pause()
      if (first.rest.length > 0) socket.unshift(first.rest)
      let response: Response
      try {
        response = JSON.parse(first.line) as Response
      } catch {
        reject(new CliError('The answer of the switch is no JSON.'))
        return
      }
      if (response.error === null) resolve(response.result)
      else {
        const { code, message, hint } = response.error
        reject(new CliError(message, { code, ...(hint === undefined ? {} : { hint }) }))
      }
    }
    const onClose = () => {
      finish()
      reject(
        new CliError('The switch closed the connection before it answered.', {
          hint: 'Its log may say why.',
        }),
      )
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    // What is wrong with the connection is told by its close.
    socket.on('error', () => {})
    socket.write(`${JSON.stringify({ method, params, id: 1 })}\n`)
  })
}

/** Asks the switch that runs in `rundir`. A CliError says that there is none, or what it answered. */
export async function ask<M extends keyof Methods>(
  rundir: string,
  method: M,
  params: Methods[M]['params'],
): Promise<Methods[M]['result']> {
  const socket = await open(rundir)
  try {
    return (await exchange(socket, method, params)) as Methods[M]['result']
  } finally {
    socket.destroy()
  }
}

/** Asks for a stream: the answer, and the bytes that follow it. Destroying `bytes` ends the stream. */
export async function askStream<S extends keyof Streams>(
  rundir: string,
  method: S,
  params: Streams[S]['params'],
): Promise<{ result: Streams[S]['result']; bytes: Readable }> {
  const socket = await open(rundir)
  try {
    return { result: (await exchange(socket, method, params)) as Streams[S]['result'], bytes: socket }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Asks the switch to stop and waits until it has: it closes the connection when everything is taken back. */
export async function askStop(rundir: string): Promise<{ pid: number }> {
  const socket = await open(rundir)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  try {
    const result = (await exchange(socket, 'stop', {})) as Methods['stop']['result']
    socket.resume()
    await closed
    return result
  } finally {
    socket.destroy()
  }
}
