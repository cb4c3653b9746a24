import { describe, expect, it } from 'vitest'
import { MegaflowTable } from '../../../engine/classifier/megaflow-table.ts'
import { KEY_WORDS } from '../../../protocols/flow-key.ts'

describe('the room for programs', () => {
  it('serves short programs again after a flood of long ones has taken all of it, and the other way round', () => {
    const limit = 4096
    const table = new MegaflowTable(limit, 1, { stationHeard: () => {} })
    const mask = new Uint32Array(KEY_WORDS)
    mask[0] = 0xffff_ffff
    const none = new Uint32Array(0)
    const key = new Uint32Array(KEY_WORDS)
    const code = Int32Array.from({ length: 4096 }, (_, i) => i)
    const insert = (words: number) => {
      key[0]++
      return table.insert(key, mask, code, words, none, none, 0, 0)
    }
    for (const words of [128, 10, 1000, 4096, 3]) {
      for (let n = 0; n < 2 * limit; n++) {
        const f = insert(words)
        if (f < 0) throw new Error(`no room for ${words} words`)
        if (n % 100 !== 0) continue
        expect(table.lookup(key)).toBe(f)
        const at = table.records.program(f)
        expect(table.code.subarray(at, at + words)).toEqual(code.subarray(0, words))
      }
    }
    // All slots are in use again: three words a program leave room for as many as there may be.
    expect(table.count).toBe(limit)
  })
})
