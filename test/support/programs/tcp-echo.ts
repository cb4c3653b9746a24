/**
 * Many TCP connections at once, for running inside of namespaces.
 *
 *     tcp-echo serve PORT
 *     tcp-echo connect HOST PORT COUNT
 *
 * The client opens COUNT connections together, sends on each a text of its own and compares what comes back.
 * It prints "held N" when all N have answered, keeps them open, and goes through all of them once more at
 * each line of input, until its input ends. It ends with 1 and the reasons when any of them failed.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [, , role, ...args] = process.argv

function serve(port: number): void {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen({ port, host: '0.0.0.0', backlog: 4096 }, () => console.log(`listening on ${port}`))
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  socket.setEncoding('utf8')
  await once(socket, 'connect')
  return socket
}

/** Sends a text and gives what comes back, up to its length. */
async function echo(socket: Socket, text: string): Promise<string> {
  let answer = ''
  socket.write(text)
  while (answer.length < text.length) {
    const [part] = (await once(socket, 'data', { signal: AbortSignal.timeout(20_000) })) as [string]
    answer += part
  }
  return answer
}

async function all(sockets: Promise<Socket>[], round: number): Promise<void> {
  const results = await Promise.allSettled(
    sockets.map(async (opening, i) => {
      const text = `connection ${i} round ${round} `.repeat(100)
      if ((await echo(await opening, text)) !== text)
        throw new Error(`connection ${i}: another text came back`)
    }),
  )
  const failed = results.filter((result) => result.status === 'rejected')
  if (failed.length > 0) {
    console.log(`failed ${failed.length}: ${failed.slice(0, 3).map((result) => result.reason)}`)
    process.exit(1)
  }
  console.log(`held ${sockets.length} round ${round}`)
}

async function hold(host: string, port: number, count: number): Promise<void> {
  const sockets = Array.from({ length: count }, () => open(host, port))
  let round = 1
  await all(sockets, round)
  for await (const _ of createInterface({ input: process.stdin })) await all(sockets, ++round)
  for (const socket of sockets) (await socket).end()
}

if (role === 'serve') serve(Number(args[0]))
else await hold(args[0]!, Number(args[1]), Number(args[2]))
