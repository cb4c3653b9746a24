/** dhcpcd against our server, in the order of a machine's life. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DhcpLab, ELSEWHERE } from '../support/dhcp-lab.ts'
import { until } from '../support/until.ts'
import type { Background } from '../support/world.ts'

let lab: DhcpLab
let client: Background
let first: string

beforeAll(async () => {
  lab = await DhcpLab.start()
  // Its leases are kept where the machine's own would be.
  await lab.world.sh('mount -t tmpfs tmpfs /var/lib/dhcpcd; mkdir -p /run/dhcpcd')
})
afterAll(() => lab?.close())

/** Starts it in the foreground; without probes of its own (RFC 5227), which take seconds, unless asked for. */
const dhcpcd = (...options: string[]) =>
  lab.spawn(['dhcpcd', '-4', '-B', '-d', '--noipv4ll', ...options, 'eth0'])
const QUICK = '--noarp'
const command = (option: string) => lab.exec(['dhcpcd', '-4', option, 'eth0'])
/** Resolves once it has a lease like this, and has settled with it: what it is told before, it forgets. */
const leased = async (address: RegExp): Promise<string> => {
  await client.waitFor(new RegExp(`leased ${address.source} for 86400 seconds[\\s\\S]*spawned listener`))
  return lab.configured(address)
}
/** Ends it without a release, as a machine does that is switched off. */
const switchOff = async () => {
  await client.stop('SIGTERM', 5_000)
  await lab.exec(['ip', 'address', 'flush', 'dev', 'eth0'])
}
const release = async () => {
  // It takes the address away at once, and with it a release that still waits for ARP.
  const server = (await lab.lease('bound')).address.replace(/\d+$/, '254')
  expect((await lab.exec(['ping', '-c', '1', '-W', '5', server])).code).toBe(0)
  client.signal('SIGALRM')
  await client.waitFor(/sending RELEASE/)
  await switchOff()
}

test('a lease with address, mask, router and lease time', async () => {
  client = dhcpcd(QUICK)
  first = await leased(/10\.0\.0\.1(5[1-9]|60)/)
  const { stdout } = await lab.exec(['dhcpcd', '-4', '--dumplease', 'eth0'])
  expect(stdout).toContain(`ip_address=${first}`)
  expect(stdout).toContain('subnet_mask=255.255.255.0')
  expect(stdout).toMatch(/routers='?10\.0\.0\.254/)
  expect(stdout).toContain('dhcp_lease_time=86400')
  expect(stdout).toContain('dhcp_server_identifier=10.0.0.254')
  expect((await lab.lease('bound')).address).toBe(first)
})

test('it renews by unicast', async () => {
  const sniffer = await lab.sniff()
  await command('--renew')
  await sniffer.saw(
    new RegExp(
      `${first}\\.68 > 10\\.0\\.0\\.254\\.67: [\\s\\S]*Client-IP ${first}[\\s\\S]*: Request[\\s\\S]*: ACK`,
    ),
  )
  await client.waitFor(/(leased 10[\s\S]*){2}/)
  await sniffer.stop()
})

test('it rebinds by broadcast', async () => {
  const sniffer = await lab.sniff()
  const rebound = /> 255\.255\.255\.255\.67: [\s\S]*: Request[\s\S]*: ACK/
  // It forgets what it is told while its hooks run, here those of the renewal: so it is told again.
  await until(async () => {
    await command('--rebind')
    return sniffer.saw(rebound, 2_000).catch(() => undefined)
  }, 'it rebinds')
  await client.waitFor(/(leased 10[\s\S]*){3}/)
  expect(await sniffer.stop()).not.toMatch(/: Discover/)
  expect(await lab.configured(/./)).toBe(first)
})

test('switched on again it asks for its old address (INIT-REBOOT) and gets it', async () => {
  await switchOff()
  client = dhcpcd(QUICK)
  expect(await leased(new RegExp(first))).toBe(first)
  expect(client.output).toContain(`rebinding lease of ${first}`)
  expect(client.output).not.toMatch(/sending DISCOVER|NAK/)
})

test('it releases, and comes back to the same address', async () => {
  await release()
  expect((await lab.lease('released')).address).toBe(first)
  client = dhcpcd(QUICK)
  expect(await leased(new RegExp(first))).toBe(first)
  expect(client.output).toContain('sending DISCOVER')
})

test('in another network its address is refused (NAK), and it gets one of there', async () => {
  await switchOff()
  await lab.move(ELSEWHERE)
  client = dhcpcd(QUICK)
  await client.waitFor(/NAK.* from 10\.1\.0\.254/)
  await leased(/10\.1\.0\.\d+/)
})

test('it declines an address that somebody else uses, and gets another', async () => {
  await release()
  const sniffer = await lab.sniff()
  client = dhcpcd()
  await sniffer.saw(/Requested-IP \(50\), length 4: 10\.1\.0\.151[\s\S]*: Decline/)
  await leased(/10\.1\.0\.15[2-9]/)
  await sniffer.stop()
  await switchOff()
})
