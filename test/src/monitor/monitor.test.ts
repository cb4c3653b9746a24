import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Database, emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import type { RowChange } from '../../../protocols/ovsdb/row.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'
import { transact } from '../../../protocols/ovsdb/transact.ts'
import { changeLines } from '../../../src/monitor/change-lines.ts'
import { type Paint, Screen } from '../../../src/monitor/screen.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const SCHEMA = parseSchema(OPEN_VSWITCH as unknown as Json)

function change(database: Database, ...operations: Json[]): readonly [Database, readonly RowChange[]] {
  const done = transact(database, operations, { newUuid: randomUUID })
  if (done.status !== 'done') throw new Error('nothing waits')
  expect(done.results).toHaveLength(operations.length)
  return [done.database, done.changes]
}

const [bridged, added] = change(
  emptyDatabase(SCHEMA),
  { op: 'insert', table: 'Open_vSwitch', row: { bridges: ['named-uuid', 'b'] } },
  {
    op: 'insert',
    table: 'Bridge',
    'uuid-name': 'b',
    row: {
      name: 'br0',
      ports: [
        'set',
        [
          ['named-uuid', 'p2'],
          ['named-uuid', 'p10'],
        ],
      ],
    },
  },
  ...[2, 10].flatMap((n) => [
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `p${n}`,
      row: { name: `p${n}`, tag: n, interfaces: ['named-uuid', `i${n}`] },
    },
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': `i${n}`,
      row: { name: `p${n}`, external_ids: ['map', [['a', 'x'.repeat(60)]]] },
    },
  ]),
)
const [retagged, tagged] = change(bridged, {
  op: 'update',
  table: 'Port',
  where: [['name', '==', 'p2']],
  row: { tag: 7 },
})

describe('lines of changes', () => {
  test('call rows by their names, and tell what has become of what', () => {
    expect(changeLines(undefined, bridged, added).sort()).toEqual([
      `Open_vSwitch Bridge br0 inserted name=br0 ports=${bridgePorts()}`,
      `Open_vSwitch Interface p10 inserted name=p10 external_ids={a=${'x'.repeat(60)}}`,
      `Open_vSwitch Interface p2 inserted name=p2 external_ids={a=${'x'.repeat(60)}}`,
      expect.stringMatching(/^Open_vSwitch Open_vSwitch [0-9a-f]{8} inserted bridges=\[br0\]$/),
      'Open_vSwitch Port p10 inserted name=p10 interfaces=[p10] tag=10',
      'Open_vSwitch Port p2 inserted name=p2 interfaces=[p2] tag=2',
    ])
    expect(changeLines(bridged, retagged, tagged)).toEqual(['Open_vSwitch Port p2 modified tag: 2 → 7'])
    const [emptied, gone] = change(retagged, {
      op: 'update',
      table: 'Bridge',
      where: [],
      row: { ports: ['set', []] },
    })
    expect(changeLines(retagged, emptied, gone).sort()).toEqual([
      `Open_vSwitch Bridge br0 modified ports: ${bridgePorts()} → []`,
      'Open_vSwitch Interface p10 deleted',
      'Open_vSwitch Interface p2 deleted',
      'Open_vSwitch Port p10 deleted',
      'Open_vSwitch Port p2 deleted',
    ])
  })

  /** In the order of the UUIDs. */
  function bridgePorts(): string {
    const table = bridged.tables.get('Port')!
    const [bridge] = bridged.tables.get('Bridge')!.rows.values()
    const names = bridge.columns.ports.keys.map((uuid) => table.rows.get(String(uuid))!.columns.name.keys[0])
    return `[${names.join(', ')}]`
  }
})

describe('the page', () => {
  const paint: Paint = { bold: (t) => t, dim: (t) => t, inverse: (t) => `<${t}>` }

  test('has the tables with rows, and marks for a while what has changed', () => {
    const screen = new Screen()
    screen.update(bridged, undefined, 0)
    expect(screen.tabs.map(({ table }) => table).sort()).toEqual([
      'Bridge',
      'Interface',
      'Open_vSwitch',
      'Port',
    ])
    while (screen.page(60, 10, 0, paint).every((line) => !line.includes('< Port 2 >'))) screen.nextTab(1)
    screen.update(retagged, tagged, 1000)
    const [tabs, blank, ...rest] = screen.page(60, 10, 1500, paint)
    expect(tabs).toContain(' Bridge 1 ')
    expect([blank, ...rest.slice(0, -1)]).toEqual([
      '',
      'name  interfaces  tag',
      'p2    [p2]        <7  >',
      'p10   [p10]       10',
    ])
    expect(screen.page(60, 10, 4000, paint)[3]).toBe('p2    [p2]        7')
  })

  test('fits the terminal, whatever its size', () => {
    const screen = new Screen()
    screen.update(bridged, undefined, 0)
    for (let tab = 0; tab < 4; tab++) {
      for (const [width, height] of [
        [80, 24],
        [20, 6],
        [5, 5],
        [200, 3],
      ]) {
        for (let step = 0; step < 4; step++) {
          const lines = screen.page(width, height, 0, { ...paint, inverse: (t) => t })
          for (const line of lines.slice(1)) expect(line.length).toBeLessThanOrEqual(Math.max(width, 16))
          screen.scroll(1, 1)
        }
      }
      screen.nextTab(-1)
    }
  })

  test('scrolls no further than there is something', () => {
    const screen = new Screen()
    screen.update(bridged, undefined, 0)
    while (screen.page(60, 10, 0, paint).every((line) => !line.includes('< Port 2 >'))) screen.nextTab(1)
    screen.scroll(100, 1)
    const lines = screen.page(60, 5, 0, paint)
    expect(lines[2]).toBe('name  tag')
    expect(lines[3]).toBe('p10   10')
    screen.scroll(-100, -100)
    expect(screen.page(60, 5, 0, paint)[3]).toBe('p2    [p2]        2')
  })
})

describe('vswitchd-ts monitor of the real ovsdb-server', () => {
  const dir = new OvsdbDirectory()
  const children: ChildProcess[] = []
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await dir.remove()
  })
  const BINARY = join(import.meta.dirname, '../../../bin/vswitchd-ts')

  function start(command: string, ...args: string[]) {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', COLUMNS: '100', LINES: '30' },
    })
    children.push(child)
    const said = { text: '' }
    child.stdout.on('data', (chunk) => {
      said.text += chunk
    })
    return { child, said }
  }

  test('prints lines into a pipe, and a page on a terminal', async () => {
    const file = dir.create('conf.db')
    dir.transact(file, 'Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: {} })
    const { remote } = await dir.serve('sock', [file])
    const lines = start(BINARY, 'monitor', '--db', remote, 'Bridge')
    const page = start('script', '-qec', `${BINARY} monitor --db ${remote}`, '/dev/null')
    await until(
      () => page.said.text.includes('Open_vSwitch 1'),
      'the page',
      15_000,
      () => page.said.text,
    )
    // Whichever comes first, the connection or the bridge.
    dir.run('ovs-vsctl', `--db=${remote}`, '--no-wait', 'add-br', 'br7')
    await until(() => lines.said.text.includes('\n'), 'a line')
    expect(lines.said.text).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z Open_vSwitch Bridge br7 inserted name=br7 ports=\[/,
    )
    await until(
      () => page.said.text.includes('Bridge 1'),
      'the bridge on the page',
      15_000,
      () => page.said.text,
    )
    page.child.stdin!.write('q')
    await new Promise((resolve) => page.child.once('exit', resolve))
    expect(page.said.text.trimEnd().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
    lines.child.kill('SIGTERM')
    expect(await new Promise((resolve) => lines.child.once('exit', resolve))).toBe(0)
  })
})
