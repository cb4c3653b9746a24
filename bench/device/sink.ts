/** A socket that datagrams come to, and whose owner never reads, so that counting costs nothing: node sink.js PORT */
import { setTimeout as sleep } from 'node:timers/promises'
import { AF_INET, bind, SOCK_DGRAM, socket, socketAddress } from './sockets.ts'

const address = socketAddress('0.0.0.0', Number(process.argv[2]))
if (bind(socket(AF_INET, SOCK_DGRAM, 0), address, address.length) < 0) throw new Error('cannot bind')
console.log('ready')
await sleep(2 ** 31 - 1)
