import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RpcMessage, rpcJson, rpcMessage } from '../../../protocols/ovsdb/json-rpc.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'

const some = fc.jsonValue().filter((v) => v !== null) as fc.Arbitrary<Json>
const params = fc.array(fc.jsonValue()) as fc.Arbitrary<Json[]>
const message: fc.Arbitrary<RpcMessage> = fc.oneof(
  fc.record({ type: fc.constant('request' as const), method: fc.string(), params, id: some }),
  fc.record({ type: fc.constant('notification' as const), method: fc.string(), params }),
  fc.record({ type: fc.constant('reply' as const), result: fc.jsonValue() as fc.Arbitrary<Json>, id: some }),
  fc.record({ type: fc.constant('error' as const), error: some, id: some }),
)

test('messages are read as they are written', () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(rpcMessage(rpcJson(m))).toEqual(m)
    }),
  )
})

test.each<[Json, string]>([
  [[], 'message is not a JSON object'],
  [{}, 'notification must have "method"'],
  [{ method: 1, params: [], id: 0 }, 'method is not a JSON string'],
  [{ method: 'a', params: {}, id: 0 }, '"params" must be JSON array'],
  [{ method: 'a', id: 0 }, 'request must have "params"'],
  [{ method: 'a' }, 'notification must have "params"'],
  [{ method: 'a', params: [], id: 0, error: 1 }, 'error must not have "method"'],
  [{ method: 'a', params: [], id: 0, result: 1 }, 'reply must not have "method"'],
  [{ result: 1 }, 'reply must have "id"'],
  [{ error: 1 }, 'error must have "id"'],
  [{ id: 1, params: [] }, 'request must have "method"'],
  [{ id: 1, result: 1, error: 1 }, 'reply must not have "error"'],
  [{ method: 'a', params: [], id: 0, more: 1 }, 'message has unexpected member "more"'],
])('%j: %s', (json, complaint) => {
  expect(rpcMessage(json)).toBe(complaint)
})
