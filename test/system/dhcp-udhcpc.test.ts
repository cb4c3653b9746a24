/** udhcpc of busybox against our server, in the order of a machine's life. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DhcpLab, ELSEWHERE } from '../support/dhcp-lab.ts'
import type { Background } from '../support/world.ts'

let lab: DhcpLab
let client: Background
let first: string

beforeAll(async () => {
  lab = await DhcpLab.start()
})
afterAll(() => lab?.close())

const udhcpc = (...options: string[]) =>
  lab.spawn(['udhcpc', '-f', '-i', 'eth0', '-t', '5', '-T', '2', ...options])

test('a lease with address, mask, router and lease time', async () => {
  const sniffer = await lab.sniff()
  client = udhcpc()
  await client.waitFor(/lease of 10\.0\.0\.\d+ obtained from 10\.0\.0\.254, lease time 86400/)
  first = await lab.configured(/^10\.0\.0\.1(5[1-9]|60)$/)
  await sniffer.saw(/DHCP-Message \(53\), length 1: ACK/)
  const text = await sniffer.stop()
  expect(text).toMatch(/Subnet-Mask \(1\), length 4: 255\.255\.255\.0/)
  expect(text).toMatch(/Default-Gateway \(3\), length 4: 10\.0\.0\.254/)
  expect(text).toMatch(/Domain-Name-Server \(6\), length 4: 10\.0\.0\.254/)
  expect(text).toMatch(/Domain-Name \(15\), length 8: "lab\.test"/)
  expect(await lab.world.sh('ip route show default', { netns: DhcpLab.HOST })).toContain('via 10.0.0.254')
  const lease = await lab.lease('bound')
  expect(lease.address).toBe(first)
  const seconds = (Date.parse(lease.expires) - Date.now()) / 1000
  expect(seconds).toBeGreaterThan(86_300)
  expect(seconds).toBeLessThan(86_500)
})

test('it renews by unicast', async () => {
  const sniffer = await lab.sniff()
  client.signal('SIGUSR1')
  await sniffer.saw(
    new RegExp(`${first}\\.68 > 10\\.0\\.0\\.254\\.67: [\\s\\S]*Client-IP ${first}[\\s\\S]*: Request`),
  )
  await sniffer.saw(
    new RegExp(`10\\.0\\.0\\.254\\.67 > ${first}\\.68: [\\s\\S]*Your-IP ${first}[\\s\\S]*: ACK`),
  )
  await client.waitFor(/(obtained[\s\S]*){2}/)
  await sniffer.stop()
})

test('it rebinds by broadcast when it can no longer send by unicast', async () => {
  // Without its address the client cannot send from it, which is the only way to make it rebind at once.
  await lab.exec(['ip', 'address', 'flush', 'dev', 'eth0'])
  const sniffer = await lab.sniff()
  client.signal('SIGUSR1')
  await sniffer.saw(new RegExp(`> 255\\.255\\.255\\.255\\.67: [\\s\\S]*Client-IP ${first}[\\s\\S]*: Request`))
  await sniffer.saw(/: ACK/)
  await client.waitFor(/(obtained[\s\S]*){3}/)
  await sniffer.stop()
  expect(await lab.configured(/./)).toBe(first)
})

test('it releases, and the server takes the address back', async () => {
  client.signal('SIGUSR2')
  await client.waitFor(/sending release/)
  expect((await lab.lease('released')).address).toBe(first)
  await client.stop()
})

test('it comes back to the same address, after a release and after the server was killed', async () => {
  client = udhcpc()
  await client.waitFor(new RegExp(`lease of ${first} obtained`))
  await client.stop()
  await lab.crash()
  expect((await lab.lease('bound')).address).toBe(first)
  client = udhcpc()
  await client.waitFor(new RegExp(`lease of ${first} obtained`))
})

test('an address that the pool no longer has is refused (NAK), and it gets another', async () => {
  await lab.shrinkPools(156)
  const sniffer = await lab.sniff()
  client.signal('SIGUSR1')
  await sniffer.saw(/: NACK/)
  await client.waitFor(/lease of 10\.0\.0\.1(5[6-9]|60) obtained/)
  await lab.configured(/^10\.0\.0\.1(5[6-9]|60)$/)
  await sniffer.stop()
  await lab.shrinkPools(151)
  await client.stop()
})

test('in another network it asks in vain for its old address, and gets one of there', async () => {
  await lab.move(ELSEWHERE)
  const sniffer = await lab.sniff()
  client = udhcpc('-r', first, '-A', '1')
  await client.waitFor(/lease of 10\.1\.0\.\d+ obtained/)
  expect(await sniffer.stop()).toContain(`Requested-IP (50), length 4: ${first}`)
  await client.stop()
})

test('it declines an address that somebody else uses, and gets another', async () => {
  const sniffer = await lab.sniff()
  client = udhcpc('-a', '-A', '1', '-r', '10.1.0.151')
  await client.waitFor(/declining/)
  await sniffer.saw(/: Decline/)
  await client.waitFor(/lease of 10\.1\.0\.\d+ obtained/)
  expect(await lab.configured(/^10\.1\.0\./)).not.toBe('10.1.0.151')
  await sniffer.stop()
  await client.stop()
})
