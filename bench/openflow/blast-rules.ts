/**
 * A controller that never stops: sends flow-mods for rules that come and go, as fast as the switch takes them, until
 * it is ended; then prints how many a second: node blast-rules.js SOCKET
 */
import { Client, encodeRules } from './client.ts'
import { rules } from './rules.ts'

/** Flow-mods between two barriers; their rules stand below that of the traffic. */
const COUNT = 5000
const lines = rules(COUNT, 20)

const client = await Client.connect(process.argv[2]!)
const messages = encodeRules(lines)
let ending = false
process.on('SIGTERM', () => {
  ending = true
})
process.stdout.write('ready\n')
const begin = performance.now()
let sent = 0
while (!ending) {
  await client.send(messages)
  sent += COUNT
}
const seconds = (performance.now() - begin) / 1000
await client.close()
console.log(JSON.stringify({ rate: sent / seconds }))
