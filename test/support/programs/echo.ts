/**
 * An echo server and its clients, for running inside of namespaces.
 *
 *     echo serve PORT                     answers on TCP and UDP
 *     echo connect HOST PORT COUNT        COUNT TCP connections at once
 *     echo pipe HOST PORT                 standard input through one TCP connection to standard output
 *     echo datagrams HOST PORT COUNT LEN  COUNT UDP datagrams of LEN bytes, one after another
 *
 * `connect` opens COUNT connections together, sends on each a text of its own and compares what comes back.
 * It prints "held N round R" when all N have answered, keeps them open, and goes through all of them once more
 * at each line of input, until its input ends. All of them end with 1 and a reason when an answer is wrong
 * or does not come.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const PATIENCE = 20_000
const [, , role, ...args] = process.argv

async function serve(port: number): Promise<void> {
  const tcp = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await once(tcp.listen({ port, host: '0.0.0.0', backlog: 4096 }), 'listening')
  const udp = createSocket('udp4', (message, from) => udp.send(message, from.port, from.address))
  await once(udp.bind(port), 'listening')
  console.log(`listening on ${port}`)
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
    const [part] = (await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) })) as [string]
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
    throw new Error(`failed ${failed.length}: ${failed.slice(0, 3).map((result) => result.reason)}`)
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

async function pipe(host: string, port: number): Promise<void> {
  const socket = connect({ host, port, allowHalfOpen: true })
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error('nothing comes any more')))
  process.stdin.pipe(socket)
  for await (const part of socket) if (!process.stdout.write(part)) await once(process.stdout, 'drain')
}

/** Sends a datagram again when no answer comes: the first of a size is lost while the path MTU is found out. */
async function datagrams(host: string, port: number, count: number, length: number): Promise<void> {
  const socket = createSocket('udp4')
  let resent = 0
  for (let i = 0; i < count; i++) {
    const sent = Buffer.alloc(length, `datagram ${i} `)
    const again = setInterval(() => {
      if (++resent > 10) throw new Error(`datagram ${i}: no answer`)
      socket.send(sent, port, host)
    }, 1_000)
    socket.send(sent, port, host)
    const [received] = (await once(socket, 'message')) as [Buffer]
    clearInterval(again)
    if (!received.equals(sent)) throw new Error(`datagram ${i}: something else came back`)
  }
  console.log(`all ${count} came back, ${resent} sent again`)
  socket.close()
}

const host = args[0]!
const [port, count, length] = args.slice(1).map(Number) as [number, number, number]
if (role === 'serve') await serve(Number(args[0]))
else if (role === 'connect') await hold(host, port, count)
else if (role === 'pipe') await pipe(host, port)
else await datagrams(host, port, count, length)
