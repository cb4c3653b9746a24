import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import {
  type DataForm,
  endpointBegins,
  formatDataEndpoint,
  parseDataEndpoint,
} from '../../../protocols/ftp/data-endpoint.ts'

it.each([
  ['PORT 10,0,0,1,15,161\r\n', 'port', [10, 0, 0, 1], 4001],
  ['port 10,0,0,1,0,21\n', 'port', [10, 0, 0, 1], 21],
  ['EPRT |1|10.0.0.1|4001|\r\n', 'eprt', [10, 0, 0, 1], 4001],
  ['EPRT !2!::1!4001!\r\n', 'eprt', [...Array(15).fill(0), 1], 4001],
  ['227 Entering Passive Mode (10,0,0,2,15,161).\r\n', 'pasv', [10, 0, 0, 2], 4001],
  ['227 =10,0,0,2,15,161\r\n', 'pasv', [10, 0, 0, 2], 4001],
  ['229 Entering Extended Passive Mode (|||4001|)\r\n', 'epsv', [], 4001],
] as const)('%s', (line, form, address, port) => {
  expect(parseDataEndpoint(line)).toMatchObject({ form, address: Uint8Array.from(address), port })
})

it.each([
  'PORT 10,0,0,1,15\r\n',
  'PORT 10,0,0,256,15,161\r\n',
  'PORT 10,0,0,1,0,0\r\n',
  'PORTS 10,0,0,1,15,161\r\n',
  'EPRT |3|10.0.0.1|4001|\r\n',
  'EPRT |1|10.0.0.1|70000|\r\n',
  'EPRT |1|::1|4001|\r\n',
  'EPRT |1|10.0.0.1|4001\r\n',
  'EPRT |2|1::2::3|4001|\r\n',
  'EPRT |2|1:2:3:4:5:6:7|4001|\r\n',
  '229 Entering Extended Passive Mode (|1||4001|)\r\n',
  '227 Entering Passive Mode\r\n',
  'STOR PORT 10,0,0,1,15,161\r\n',
  '\r\n',
])('nothing is read in %j', (line) => {
  expect(parseDataEndpoint(line)).toBeUndefined()
})

const introductions: Record<DataForm, (text: string) => string> = {
  port: (text) => `PORT ${text}\r\n`,
  eprt: (text) => `EPRT ${text}\r\n`,
  pasv: (text) => `227 Entering Passive Mode (${text})\r\n`,
  epsv: (text) => `229 Entering Extended Passive Mode (${text})\r\n`,
}

test('what is written is read again, and no beginning of it is taken for the whole', () => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((b) => b.map((x) => (x < 99 ? 0 : x)))
  const forms = fc.constantFrom<DataForm>('port', 'eprt', 'pasv', 'epsv')
  fc.assert(
    fc.property(
      forms,
      bytes(4),
      bytes(16),
      fc.boolean(),
      fc.integer({ min: 1, max: 65_535 }),
      (form, v4, v6, six, port) => {
        const address = form === 'epsv' ? new Uint8Array(0) : form === 'eprt' && six ? v6 : v4
        const delimiter = form === 'port' || form === 'pasv' ? ',' : '|'
        const text = formatDataEndpoint({ form, address, port, at: 0, end: 0, delimiter }, address, port)
        const line = introductions[form](text)
        const read = parseDataEndpoint(line)
        expect(read).toMatchObject({ form, address, port, delimiter })
        expect(line.slice(read!.at, read!.end)).toBe(text)
        for (let n = read!.at + 1; n < line.length; n++)
          expect(endpointBegins(line.slice(0, n))).toBe(read!.at)
        expect(endpointBegins(line.slice(0, read!.at))).toBeUndefined()
      },
    ),
  )
})
