/** dhclient of ISC against our server, in the order of a machine's life. */
import { chmod, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BRIEF, DhcpLab, ELSEWHERE, OFFICE } from '../support/dhcp-lab.ts'
import type { Background } from '../support/world.ts'

let lab: DhcpLab
let client: Background
let first: string

beforeAll(async () => {
  lab = await DhcpLab.start()
})
afterAll(() => lab?.close())

const files = () => ['-lf', `${lab.world.dir}/leases`, '-pf', `${lab.world.dir}/pid`]
/** Starts it in the foreground. */
const dhclient = (...options: string[]) =>
  lab.spawn(['dhclient', '-4', '-d', '-v', '-cf', '/dev/null', ...files(), ...options, 'eth0'])
/** Ends it without a release, as a machine does that is switched off. */
const switchOff = async () => {
  await client.stop('SIGKILL')
  await lab.exec(['ip', 'address', 'flush', 'dev', 'eth0'])
}

test('a lease with address, mask, router and lease time', async () => {
  client = dhclient()
  await client.waitFor(/DHCPACK of 10\.0\.0\.\d+ from 10\.0\.0\.254/)
  first = await lab.configured(/^10\.0\.0\.1(5[1-9]|60)$/)
  await client.waitFor(new RegExp(`bound to ${first}`))
  const lease = await readFile(`${lab.world.dir}/leases`, 'utf8')
  expect(lease).toContain(`fixed-address ${first};`)
  expect(lease).toContain('option subnet-mask 255.255.255.0;')
  expect(lease).toContain('option routers 10.0.0.254;')
  expect(lease).toContain('option dhcp-lease-time 86400;')
  expect(lease).toContain('option dhcp-renewal-time 43200;')
  expect(lease).toContain('option dhcp-rebinding-time 75600;')
  expect(lease).toContain('option dhcp-server-identifier 10.0.0.254;')
  expect((await lab.lease('bound')).address).toBe(first)
})

test('switched on again it asks for its old address (INIT-REBOOT) and gets it', async () => {
  await switchOff()
  client = dhclient()
  await client.waitFor(new RegExp(`DHCPACK of ${first}`))
  expect(client.output).toContain(`DHCPREQUEST for ${first}`)
  expect(client.output).not.toMatch(/DHCPDISCOVER|DHCPNAK/)
  await client.waitFor(/bound to/)
})

test('it releases, and comes back to the same address', async () => {
  await client.stop('SIGKILL')
  // The script takes the address away at once, and with it a release that still waits for ARP.
  expect((await lab.exec(['ping', '-c', '1', '-W', '5', '10.0.0.254'])).code).toBe(0)
  const release = await lab.exec(['dhclient', '-4', '-r', '-v', '-cf', '/dev/null', ...files(), 'eth0'])
  expect(release.stderr).toContain(`DHCPRELEASE of ${first}`)
  expect((await lab.lease('released')).address).toBe(first)
  await lab.world.sh(`rm ${lab.world.dir}/leases`)
  client = dhclient()
  await client.waitFor(/DHCPDISCOVER/)
  await client.waitFor(new RegExp(`bound to ${first}`))
})

test('in another network its address is refused (NAK), and it gets one of there', async () => {
  await switchOff()
  await lab.move(ELSEWHERE)
  client = dhclient()
  await client.waitFor(new RegExp(`DHCPREQUEST for ${first}[\\s\\S]*DHCPNAK from 10\\.1\\.0\\.254`))
  await client.waitFor(/bound to 10\.1\.0\.\d+/)
  await lab.configured(/^10\.1\.0\./)
})

test('it declines an address that somebody else uses, and gets another', async () => {
  await switchOff()
  await lab.world.sh(`rm ${lab.world.dir}/leases`)
  // What dhclient-script(8) asks of a script: look whether the address is used, and say so by the exit code.
  const script = await lab.world.file(
    'careful-script',
    `#!/bin/sh
case $reason in BOUND|RENEW|REBIND|REBOOT) arping -q -D -c 2 -w 2 -I $interface $new_ip_address || exit 1 ;; esac
exec dhclient-script "$@"
`,
  )
  await chmod(script, 0o755)
  client = dhclient('-sf', script)
  await client.waitFor(/DHCPACK of 10\.1\.0\.151[\s\S]*DHCPDECLINE/)
  await client.waitFor(/bound to 10\.1\.0\.15[2-9]/)
  await switchOff()
})

test('it renews by unicast at T1, and rebinds by broadcast at T2 when unicast does not reach the server', async () => {
  await lab.world.sh(`rm ${lab.world.dir}/leases`)
  await lab.move(BRIEF)
  const sniffer = await lab.sniff()
  client = dhclient()
  await client.waitFor(/bound to 10\.2\.0\.\d+/)
  const address = await lab.configured(/^10\.2\.0\./)
  await sniffer.saw(
    new RegExp(`${address}\\.68 > 10\\.2\\.0\\.254\\.67: [\\s\\S]*Client-IP ${address}[\\s\\S]*: ACK`),
  )
  await client.waitFor(/(bound to[\s\S]*){2}/)
  await sniffer.stop()
  // Unicast goes to a MAC address that nobody has.
  const astray = ['neigh', 'replace', '10.2.0.254', 'lladdr', '02:00:00:00:00:99', 'nud', 'permanent']
  await lab.exec(['ip', ...astray, 'dev', 'eth0'])
  const broadcasts = await lab.sniff()
  await broadcasts.saw(
    new RegExp(`> 255\\.255\\.255\\.255\\.67: [\\s\\S]*Client-IP ${address}[\\s\\S]*: Request[\\s\\S]*: ACK`),
  )
  await client.waitFor(/(bound to[\s\S]*){3}/)
  await broadcasts.stop()
  expect(await lab.configured(/./)).toBe(address)
  await client.stop('SIGKILL')
  await lab.move(OFFICE)
})
