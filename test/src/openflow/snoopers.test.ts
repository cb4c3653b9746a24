/** Those who listen to a bridge and its controllers. */
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { isFault } from '../../../protocols/openflow/error.ts'
import { decodeMessage } from '../../../protocols/openflow/message.ts'
import { Snoopers } from '../../../src/openflow/snoopers.ts'

/** A listener that keeps what it hears, or never takes anything. */
function listener(reads: boolean) {
  const heard: Buffer[] = []
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      heard.push(chunk)
      if (reads) done()
    },
  })
  return { duplex, heard }
}

test('a listener is greeted in every version, then hears everything, and is forgotten when it leaves', async () => {
  const snoopers = new Snoopers()
  const { duplex, heard } = listener(true)
  snoopers.admit(duplex)
  const greeting = decodeMessage(heard[0])
  expect(!isFault(greeting) && greeting.body).toEqual({ versions: 0b1111110 })
  snoopers.tell(Buffer.from('one'))
  expect(heard[1].toString()).toBe('one')
  await new Promise((resolve) => duplex.destroy().once('close', resolve))
  snoopers.tell(Buffer.from('two'))
  expect(heard).toHaveLength(2)
})

test('a listener that does not read is given up before much waits for it; others hear on', () => {
  const snoopers = new Snoopers()
  const deaf = listener(false)
  const keen = listener(true)
  snoopers.admit(deaf.duplex)
  snoopers.admit(keen.duplex)
  for (let i = 0; i < 100; i++) snoopers.tell(Buffer.alloc(1 << 16))
  expect(deaf.duplex.destroyed).toBe(true)
  expect(keen.heard).toHaveLength(101)
  snoopers.close()
  expect(keen.duplex.destroyed).toBe(true)
})
