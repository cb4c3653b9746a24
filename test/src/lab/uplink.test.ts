import { expect, test } from 'vitest'
import { addressWords, type IpAddressInfo, isMovable, routeWords } from '../../../src/lab/uplink.ts'

const address = (more: Partial<IpAddressInfo>): IpAddressInfo => ({
  family: 'inet',
  local: '192.168.100.21',
  prefixlen: 24,
  scope: 'global',
  ...more,
})

test('an address keeps its broadcast address and its lifetime', () => {
  expect(addressWords(address({}))).toEqual(['192.168.100.21/24'])
  expect(addressWords(address({ broadcast: '192.168.100.255' }))).toEqual([
    '192.168.100.21/24',
    'broadcast',
    '192.168.100.255',
  ])
  expect(addressWords(address({ dynamic: true, valid_life_time: 600, preferred_life_time: 500 }))).toEqual([
    '192.168.100.21/24',
    'valid_lft',
    '600',
    'preferred_lft',
    '500',
  ])
})

test('IPv6 addresses that the network gives by itself are left where they are', () => {
  expect(isMovable(address({}))).toBe(true)
  expect(isMovable(address({ dynamic: true }))).toBe(true)
  const v6 = { family: 'inet6', local: '2001:db8::1', prefixlen: 64 } as const
  expect(isMovable(address(v6))).toBe(true)
  expect(isMovable(address({ ...v6, dynamic: true }))).toBe(false)
  expect(isMovable(address({ ...v6, temporary: true }))).toBe(false)
  expect(isMovable(address({ ...v6, local: 'fe80::1', scope: 'link' }))).toBe(false)
})

test('a route keeps next hop, protocol, source, metric and table', () => {
  expect(
    routeWords(
      { dst: 'default', gateway: '192.168.100.1', protocol: 'dhcp', metric: 100, flags: [] },
      'inet',
    ),
  ).toEqual(['0.0.0.0/0', 'via', '192.168.100.1', 'proto', 'dhcp', 'metric', '100'])
  expect(routeWords({ dst: 'default', gateway: 'fe80::1', table: '7' }, 'inet6')).toEqual([
    '::/0',
    'via',
    'fe80::1',
    'table',
    '7',
  ])
  expect(routeWords({ dst: '10.0.0.0/8', scope: 'link', prefsrc: '192.168.100.21' }, 'inet')).toEqual([
    '10.0.0.0/8',
    'scope',
    'link',
    'src',
    '192.168.100.21',
  ])
  expect(
    routeWords({ type: 'blackhole', dst: '10.0.0.0/8', gateway: '1.2.3.4', flags: ['onlink'] }, 'inet'),
  ).toEqual(['blackhole', '10.0.0.0/8', 'via', '1.2.3.4', 'onlink'])
})
