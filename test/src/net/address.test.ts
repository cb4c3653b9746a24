import { expect, test } from 'vitest'
import { formatAddress, parseAddress, underDirectory } from '../../../src/net/address.ts'

test.each([
  ['tcp:10.0.0.9', { method: 'tcp', passive: false, host: '10.0.0.9', port: 6653 }],
  ['tcp:10.0.0.9:6633', { method: 'tcp', passive: false, host: '10.0.0.9', port: 6633 }],
  ['ssl:controller.example:1', { method: 'ssl', passive: false, host: 'controller.example', port: 1 }],
  ['tcp:[fd00::9]:7', { method: 'tcp', passive: false, host: 'fd00::9', port: 7 }],
  ['tcp:[fd00::9]', { method: 'tcp', passive: false, host: 'fd00::9', port: 6653 }],
  ['unix:/run/a b', { method: 'unix', passive: false, path: '/run/a b' }],
  ['ptcp:', { method: 'tcp', passive: true, host: '', port: 6653 }],
  ['ptcp:6633', { method: 'tcp', passive: true, host: '', port: 6633 }],
  ['ptcp:0:127.0.0.1', { method: 'tcp', passive: true, host: '127.0.0.1', port: 0 }],
  ['pssl::[::1]', { method: 'ssl', passive: true, host: '::1', port: 6653 }],
  ['punix:x.mgmt', { method: 'unix', passive: true, path: 'x.mgmt' }],
])('%s', (text, address) => {
  expect(parseAddress(text, 6653)).toEqual(address)
  expect(parseAddress(formatAddress(parseAddress(text, 6653)!), 1)).toEqual(address)
})

test.each([
  '',
  'tcp',
  'tcp:',
  'tcp:h:0',
  'tcp:h:65536',
  'tcp:h:x',
  'tcp:fd00::9',
  'udp:h',
  'ptcp:70000',
  'ptcp:1:2:3',
  'unix:',
])('%j is no address', (text) => {
  expect(parseAddress(text, 6653)).toBeUndefined()
})

test.each([
  ['punix:db.sock', 'punix:/run/x/db.sock'],
  ['unix:/tmp/db.sock', 'unix:/tmp/db.sock'],
  ['tcp:h:1', 'tcp:h:1'],
])('%s under a directory is %s', (text, expected) => {
  expect(formatAddress(underDirectory(parseAddress(text, 6640)!, '/run/x'))).toBe(expected)
})
