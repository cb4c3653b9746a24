import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemRandom } from '../../../engine/sys/random.ts'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { runVsctl } from '../../../src/vsctl/vsctl.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'

const dir = new OvsdbDirectory()
/** The real server with the real client, with ours, and ours with ours. */
let remotes: { theirs: string; mixed: string; ours: string }
let server: OvsdbServer
let listening: Remotes

beforeAll(async () => {
  const [theirs, mixed] = await Promise.all(
    ['theirs', 'mixed'].map(
      async (name) => (await dir.serve(`${name}.sock`, [dir.create(`${name}.db`)])).remote,
    ),
  )
  server = new OvsdbServer({ clock: realClock, random: systemRandom() })
  server.add(emptyDatabase(parseSchema(OPEN_VSWITCH as unknown as Json)))
  listening = new Remotes({ server, clock: realClock, directory: dir.path, tls: () => undefined })
  await listening.add('punix:ours.sock')
  remotes = { theirs, mixed, ours: `unix:${dir.file('ours.sock')}` }
})
afterAll(async () => {
  listening.close()
  server.close()
  await dir.remove()
})

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function real(remote: string, args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      'ovs-vsctl',
      [`--db=${remote}`, ...args],
      { env: dir.environment() },
      (_, stdout, stderr) => {
        resolve(normal({ code: child.signalCode === 'SIGALRM' ? 142 : child.exitCode, stdout, stderr }))
      },
    )
  })
}

async function ours(remote: string, args: readonly string[]): Promise<Result> {
  let [stdout, stderr] = ['', '']
  const code = await runVsctl([`--db=${remote}`, ...args], {
    out: (text) => {
      stdout += text
    },
    err: (text) => {
      stderr += text
    },
  })
  return normal({ code, stdout, stderr })
}

/** Rows come in the order of their UUIDs. */
const unordered = ({ stdout, ...rest }: Result) => ({ ...rest, lines: stdout.split('\n').sort() })

/** UUIDs are called by the order in which they appear, times not at all. */
function normal({ code, stdout, stderr }: Result): Result {
  const known: string[] = []
  const named = (text: string) =>
    text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uuid) => {
      if (!known.includes(uuid)) known.push(uuid)
      return `uuid${known.indexOf(uuid)}`
    })
  return { code, stdout: named(stdout), stderr: named(stderr).replace(/^\S+Z\|\d+\|/gm, '') }
}

/** Words as a person types them; quotes keep spaces. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare)
}

const SCRIPT = `
init
show
add-br br0
add-br br0
--may-exist add-br br0
add-br ''
add-br br1 br0
add-br v10 br0 10
add-br v10b br0 10
add-br v11 nope 11
add-br v12 v10 12
add-br v12 br0 5000
--may-exist add-br v10 br0 10
--may-exist add-br v10 br0 11
--may-exist add-br v10
--may-exist add-br br0 v10 3
list-br
list-br -- --real list-br -- --fake list-br
br-exists br0
br-exists nope
br-to-vlan v10 -- br-to-vlan br0 -- br-to-parent v10 -- br-to-parent br0
br-to-vlan nope
add-port br0 p1
add-port br0 p1
--may-exist add-port br0 p1
--may-exist add-port v10 p1
add-port br0 br0
add-port nope p2
add-port br0 ''
add-port br0 p2 tag=20 trunks=1,2,5-7 other_config:a=b external_ids:x=1
add-port br0 p3 tag=abc
add-port br0 p3 tag=4096
add-port br0 p3 nope=1
add-port br0 p3 name
add-port v10 p4
list-ports br0
list-ports v10
list-ports nope
list-ifaces br0
port-to-br p1 -- port-to-br p4
port-to-br br0
iface-to-br p4
iface-to-br nope
add-bond br0 b0 e0
add-bond br0 b0 e0 e1 bond_mode=active-backup
--fake-iface add-bond br0 b1 e2 e3 e4 -- set Interface e2 type=internal
--may-exist add-bond br0 b0 e1 e0
--may-exist add-bond br0 b0 e0 e9
add-bond br0 b2 e0 e5
add-bond-iface b0 e7
--may-exist add-bond-iface b0 e7
--may-exist add-bond-iface b1 e7
add-bond-iface nope e8
del-bond-iface b0 e7
del-bond-iface b1 e0
del-bond-iface p1 p1
del-bond-iface e99
--if-exists del-bond-iface e99
list-ifaces br0
br-set-external-id br0 key value -- br-set-external-id br0 k2 'two words' -- br-set-external-id v10 fk fv
br-get-external-id br0
br-get-external-id br0 key
br-get-external-id br0 nope
br-get-external-id v10
br-set-external-id br0 key
br-get-external-id br0
get-controller br0
set-controller br0 tcp:1.2.3.4 ptcp:6653 nonsense
get-controller br0
get-controller v10
set-controller v10 tcp:1.1.1.1
--inactivity-probe=7000 set-controller br0 tcp:1.2.3.4:6633
get Controller br0 inactivity_probe target
del-controller br0
get-fail-mode br0
set-fail-mode br0 secure
get-fail-mode br0
set-fail-mode br0 nonsense
del-fail-mode br0
set-manager ptcp:6640 ssl:1.2.3.4 -- get-manager
get-manager
get Manager ptcp:6640 target
--bootstrap set-ssl /k /c /ca
get-ssl
set-ssl /k2 /c2 /ca2 -- get-ssl
del-ssl
get-ssl
show
set Bridge br0 other_config:hwaddr=00:00:00:00:00:01 other_config:disable-in-band=true flood_vlans=1,2
set port p1 tag=10
get port p1 tag trunks name
remove port p1 tag 10
get port p1 tag
remove port p1 tag 10
add port p1 trunks 3 4
add port p1 trunks 9-12
get port p1 trunks
remove port p1 trunks 3,10
get port p1 trunks
add port p1 external_ids a=1 b=2
get port p1 external_ids
get port p1 external_ids:a
get port p1 external_ids:c
--if-exists get port p1 external_ids:c
get port p1 tag:c
get port p1 _uuid
get port p1 tag garbage
get port p1 na:me:more
remove port p1 external_ids a
remove port p1 external_ids b=3
get port p1 external_ids
remove port p1 name p1
clear port p1 trunks external_ids
clear port p1 name
set port p1 name=other
set port nope tag=3
--if-exists set port nope tag=3
set port p1
set port p1 tag
set port p1 trunks=[1,2
set port p1 trunks=[1,2]x
set port p1 trunks=1,1
set port p1 trunks=5-3
set port p1 external_ids={a=1,b}
set port p1 external_ids={}
set port p1 external_ids=
set port p1 'external_ids:"quoted key"="v\\n"'
set port p1 external_ids:a\\:b=c\\,d
set port p1 external_ids:x="
set port p1 external_ids:x=\\
get port p1 external_ids
set port p1 lacp=sideways
set port p1 bond_fake_iface=perhaps
set port p1 bond_fake_iface=yes
get port p1 bond_fake_iface
list port p1
list Port p2
-f csv --columns=name,tag,trunks list port p2
-f table list mirror
-f table --columns=name,trunks,external_ids list port p2
-f json --columns=name,trunks,tag list port p2
-d bare --columns=name,trunks,other_config list port p2
-d json --columns=name,trunks,other_config list port p2
-f html --columns=name,trunks list port p2
--no-headings --columns=name,trunks list port p2
--bare --columns=name,trunks list port p2
-f nonsense list port p2
--columns=nope list port p2
--columns=, list port p2
list port nope
--if-exists list port nope
list nope
list flow
list o
list Flow_T
--columns=name find port tag=20
--columns=name find port tag!=20 trunks{>=}[] name=b0
--columns=name find port trunks{>}1,2
--columns=name find port trunks{<=}1,2,5,6,7,8 trunks!=[]
--columns=name find port trunks{in}1,2,5,6,7,8 trunks{not-in}[8] trunks{!=}[]
--columns=name find port other_config:a=b
--columns=name find port other_config:a{=}[] name=p1
--columns=name find port tag:a=b
--columns=name find port name>=p2 'name<p3'
--columns=name find port name
--columns=name find interface type=internal name=br0
-- --id=@q create QoS type=linux-htb other-config:max-rate=1000000 queues=0=@q0,1=@q1 -- --id=@q0 create Queue other-config:min-rate=1 -- --id=@q1 create Queue other-config:max-rate=5 -- set port p1 qos=@q
get qos p1 type
--columns=type,other_config find qos
create Queue dscp=1
create Queue
create nope a=b
--id=foo create Queue dscp=1
-- --id=@a create Queue dscp=1 -- --id=@a create Queue dscp=2
set port p1 qos=@nope
-- --id=@x get port p1 -- --id=@m create mirror name=m0 select-src-port=@x output-vlan=99 -- add bridge br0 mirrors @m
--columns=name,output_vlan list mirror m0
-- --id=@x create mirror name=m1
-- --id=@f create netflow targets="192.168.0.1:9995" -- set bridge br0 netflow=@f
get netflow br0 targets
-- --id=@s create sFlow agent=eth1 targets="192.168.0.1:6343" header=128 -- set bridge br0 sflow=@s
destroy mirror nope
--if-exists destroy mirror nope
destroy mirror
--all destroy mirror m0
clear bridge br0 mirrors
--all destroy qos
wait-until bridge br0 name=br0
--timeout=1 wait-until bridge nope
--timeout=0 show
del-port br0 nope
del-port nope
--if-exists del-port nope
del-port br0
--if-exists del-port br0
del-port v10 p1
del-port br0 p4
--with-iface del-port e0
--with-iface del-port nothing
del-port v10 p4
add-aa-mapping br0 100 5 -- add-aa-mapping br0 101 6
get-aa-mapping br0
del-aa-mapping br0 100 5
get-aa-mapping v10
add-aa-mapping br0 x 5
create Datapath datapath_version=1 capabilities:ct=true capabilities:max=8
list-dp-cap netdev
list-zone-tp netdev
comment something here
--oneline list-br -- show nope
--oneline list-br -- list-ports br0
--dry-run add-br never
list-br
nonsense
add-br
add-br a b c d
list-br more --fake
--nonsense list-br
--if-exists list-br
--columns list port
--may-exist=1 add-br x
--may-exist --may-exist add-br x
del-br v10
del-br nope
--if-exists del-br nope
emer-reset
get bridge br0 other_config flood_vlans netflow sflow
show
add-br br2 -- add-port br2 q1 -- del-br br2 -- list-br
del-br br0
show
`
  .trim()
  .split('\n')

/** Without a switch there is nothing to wait for. */
const line = (text: string) => ['--no-wait', ...words(text)]

describe('the same command lines with ovs-vsctl and with ours', () => {
  // One after the other: each finds what those before have left.
  test.each(SCRIPT)('%s', async (text) => {
    const results = [
      real(remotes.theirs, line(text)),
      ours(remotes.mixed, line(text)),
      ours(remotes.ours, line(text)),
    ]
    const [wanted, mixed, own] = (await Promise.all(results)).map(unordered)
    expect(mixed).toEqual(wanted)
    expect(own).toEqual(wanted)
  })
})

test('a server that is not there', async () => {
  const args = ['--no-wait', 'show']
  expect(await ours('unix:/nowhere', args)).toEqual(await real('unix:/nowhere', args))
})

/** Their arguments are not told by ovs-vsctl. */
const UNTOLD = /^(.*,(?:add-zone-tp|del-zone-tp|list-zone-tp|list-dp-cap),).*/

test.each(['--commands', '--options'])(
  'programs that complete command lines are told of all: %s',
  async (option) => {
    const told = ({ stdout, ...rest }: Result) => ({
      ...rest,
      lines: stdout
        .split('\n')
        .map((text) => text.replace(UNTOLD, '$1'))
        .sort(),
    })
    expect(told(await ours('unix:/nowhere', [option]))).toEqual(told(await real('unix:/nowhere', [option])))
  },
)
