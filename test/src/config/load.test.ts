import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { isMulticastMac } from '../../../src/config/address.ts'
import { loadConfig, loadConfigFile } from '../../../src/config/load.ts'
import { editDistance, nearest } from '../../../src/config/nearest.ts'
import { jsonSchema } from '../../../src/config/schema.ts'
import { z } from '../../../src/config/zod.ts'
import { CliError } from '../../../src/errors.ts'
import { base, errorsOf, type Free, networkOf } from './base.ts'

const EXAMPLES = new URL('../../../examples/', import.meta.url)
const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.json'))
const lab = readFileSync(new URL('netns-lab.json', EXAMPLES), 'utf8')

const ip = (a: number, b: number, c: number, d: number) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0

describe('examples', () => {
  test('there are the lab, the uplink and the VLANs', () => {
    expect(examples).toEqual(expect.arrayContaining(['netns-lab.json', 'uplink.json', 'vlan-bridges.json']))
  })

  test.each(examples)('%s is valid', (name) => {
    expect(errorsOf(readFileSync(new URL(name, EXAMPLES), 'utf8'))).toEqual([])
  })

  test('the lab is what the README promises', () => {
    const network = networkOf(lab)
    const rt = network.routers[0]!
    expect(network.hosts.map((h) => [h.name, h.interfaces[0]!.addressing])).toEqual([
      ['vm1', 'static'],
      ['vm2', 'dhcp'],
      ['outside', 'static'],
    ])
    expect(network.hosts[0]!.interfaces[0]!.gateway).toBe(ip(10, 0, 0, 254))
    expect(network.bridges[1]!.internal?.address).toEqual({
      address: ip(192, 168, 100, 21),
      prefixLength: 24,
    })
    expect(rt.routes).toEqual([{ prefix: 0, prefixLength: 0, via: ip(192, 168, 100, 1), metric: 0 }])
    expect(rt.nat[0]).toMatchObject({
      type: 'snat',
      source: { prefix: ip(10, 0, 0, 0), prefixLength: 24 },
      notDestination: { prefix: ip(10, 0, 0, 0), prefixLength: 24 },
      to: [{ first: ip(192, 168, 100, 11), last: ip(192, 168, 100, 11) }],
    })
    expect(rt.interfaces[0]!.dhcp!.subnets[0]).toMatchObject({
      ranges: [{ first: ip(10, 0, 0, 151), last: ip(10, 0, 0, 160) }],
      leaseTime: 86400,
      options: new Map([[3, Uint8Array.of(10, 0, 0, 254)]]),
    })
    expect(rt.interfaces.map((i) => i.services)).toEqual([[67], []])
  })
})

describe('errors', () => {
  test('name path, place, what stands there and what is expected', () => {
    const text = '{\n  // a comment\n  "hosts": { "vm1": { "interfaces": { "eth0": { "bridge": 5 } } } }\n}'
    expect(errorsOf(text)).toEqual([
      {
        path: '$.hosts.vm1.interfaces.eth0.bridge',
        line: 3,
        column: 59,
        found: '5',
        expected: 'the name of a bridge',
        message:
          '$.hosts.vm1.interfaces.eth0.bridge (line 3, column 59): found 5, expected the name of a bridge',
      },
    ])
  })

  test('unknown keys come with the nearest known name', () => {
    const config = base()
    config.hosts.vm1.interfaces.eth0.adress = '10.0.0.1/24'
    const [error] = errorsOf(config)
    expect(error).toMatchObject({
      path: '$.hosts.vm1.interfaces.eth0.adress',
      found: 'the unknown key "adress"',
      suggestion: 'address',
    })
    expect(error!.message).toMatch(/\(did you mean "address"\?\)$/)
  })

  test.each([
    ['at the root', (c: Free) => (c.bridge = {}), 'bridges'],
    ['in a NAT rule', (c: Free) => (c.routers.rt.nat[0].sorce = '10.0.0.0/24'), 'source'],
    ['in a pool', (c: Free) => (c.routers.rt.interfaces.eth0.dhcp.leasetime = 4), 'leaseTime'],
    ['in a port', (c: Free) => (c.bridges['br-ex'].ports.p10.vlanmode = 'trunk'), 'vlanMode'],
  ])('unknown key %s', (_where, spoil, suggestion) => {
    const config = base()
    spoil(config)
    expect(errorsOf(config).map((e) => e.suggestion)).toEqual([suggestion])
    // It makes no schema a second time to look for them.
    const made = vi.spyOn(z.globalRegistry, 'add')
    errorsOf(config)
    expect(made).not.toHaveBeenCalled()
    made.mockRestore()
  })

  test('unknown bridges and types come with the nearest known one', () => {
    const config = base()
    config.hosts.vm1.interfaces.eth0.bridge = 'br-inn'
    config.bridges['br-ex'].ports.uplink.type = 'sytem'
    expect(errorsOf(config).map((e) => e.suggestion)).toEqual(['system', 'br-in'])
  })

  test('those of the schema and of the cross-checks come at once, in the order of the text', () => {
    const config = base()
    config.bridges['br-ex'].address = 'here'
    config.hosts.vm1.interfaces.eth0.gateway = '10.9.9.9'
    config.hosts.vm2.interfaces.eth0.mtu = '1500'
    config.routers.rt.interfaces.eth0.dhcp.range = ['10.0.1.1', '10.0.0.9']
    config.routers.rt.nat[0].to = '1.2.3.4'
    expect(errorsOf(config).map((e) => e.path)).toEqual([
      '$.bridges.br-ex.address',
      '$.hosts.vm1.interfaces.eth0.gateway',
      '$.hosts.vm2.interfaces.eth0.mtu',
      '$.routers.rt.interfaces.eth0.dhcp.range',
      '$.routers.rt.nat[0].to',
    ])
  })

  test('one wrong part makes no further errors where others refer to it', () => {
    const config = base()
    config.bridges['br-in'] = 7
    config.routers.rt.interfaces.eth1.address = 'x'
    expect(errorsOf(config).map((e) => e.path)).toEqual([
      '$.bridges.br-in',
      '$.routers.rt.interfaces.eth1.address',
    ])
    config.bridges = 7
    expect(errorsOf(config).map((e) => e.path)).toEqual(['$.bridges', '$.routers.rt.interfaces.eth1.address'])
  })

  test('a name given twice in one object', () => {
    expect(errorsOf('{ "bridges": {\n "br0": {},\n "br0": {} } }').map((e) => e.message)).toEqual([
      '$.bridges.br0 (line 3, column 2): found the name "br0" a second time, expected a name that is not taken yet (it is on line 2)',
    ])
  })

  test.each([
    ['', '$ (line 1, column 1): found the end of the file, expected a value'],
    ['{ "bridges": { }', '$ (line 1, column 17): found the end of the file, expected a closing brace'],
    ['{ bridges: {} }', '$ (line 1, column 3): found "bridges", expected a JSON value'],
    ['[]', '$ (line 1, column 1): found an empty list, expected an object { … }'],
    [
      '{ "__proto__": {} }',
      '$.__proto__ (line 1, column 3): found the name "__proto__", expected another name',
    ],
  ])('text that is no configuration: %s', (text, message) => {
    expect(errorsOf(text)[0]!.message).toBe(message)
  })

  test('braces left open at the end are missed once', () => {
    expect(errorsOf('{ "bridges": { "br0": {').map((e) => e.message)).toEqual([
      '$ (line 1, column 24): found the end of the file, expected a closing brace',
    ])
  })

  test('endless nesting is refused', () => {
    expect(errorsOf('['.repeat(1_000_000))[0]!.expected).toBe('at most 64 levels of brackets')
  })

  test('a file that is not there is told with the exit code of configurations', () => {
    const load = () => loadConfigFile('/nonexistent/lab.json')
    expect(load).toThrow(CliError)
    expect(load).toThrow(expect.objectContaining({ code: 3 }))
  })
})

describe('defaults', () => {
  test('VLAN modes follow from tag and trunks as in Open vSwitch', () => {
    const config = base()
    config.bridges['br-ex'].ports = {
      a: { tag: 10 },
      b: { trunks: [20, 10] },
      c: {},
      d: { vlanMode: 'native-untagged', tag: 5, trunks: [10] },
      e: { vlanMode: 'dot1q-tunnel', tag: 100, cvlans: [7] },
      f: { vlanMode: 'native-tagged', tag: 5 },
    }
    const vlans = networkOf(config).bridges[1]!.ports.map(({ vlan }) => [vlan.mode, vlan.tag, vlan.trunks])
    expect(vlans).toEqual([
      ['access', 10, []],
      ['trunk', 0, [10, 20]],
      ['trunk', 0, []],
      ['native-untagged', 5, [5, 10]],
      ['dot1q-tunnel', 100, []],
      ['native-tagged', 5, []],
    ])
  })

  test('MAC addresses follow from names: stable, different, unicast and locally administered', () => {
    const macs = (config: unknown) => {
      const n = networkOf(config)
      return new Map(
        [...n.hosts, ...n.routers].flatMap((o) =>
          o.interfaces.map((i): [string, number] => [`${o.name}/${i.name}`, i.mac]),
        ),
      )
    }
    const before = macs(base())
    const config = base()
    config.hosts.vm0 = { interfaces: { eth0: { bridge: 'br-in' } } }
    config.hosts = Object.fromEntries(Object.entries(config.hosts).reverse())
    const after = macs(config)
    expect(new Set(after.values()).size).toBe(after.size)
    for (const [name, mac] of before) {
      expect(after.get(name)).toBe(mac)
      expect(isMulticastMac(mac)).toBe(false)
      expect(Math.floor(mac / 2 ** 40) & 2).toBe(2)
    }
  })

  test('a bridge has an internal port when the machine has an address there, or gets one from an uplink', () => {
    const config = base()
    delete config.bridges['br-ex'].address
    config.bridges['br-ex'].ports.uplink.moveAddress = true
    const [inner, outer] = networkOf(config).bridges
    expect(inner!.internal).toBeUndefined()
    expect(outer!.internal).toMatchObject({ address: undefined, mtu: 1500 })
    expect(inner).toMatchObject({ agingTime: 300, macTableSize: 8192, forwardBpdu: false })
  })

  test('a forward keeps protocol, ports and first port inside', () => {
    const config = base()
    config.routers.rt.nat = [
      { type: 'dnat', protocol: 'udp', address: '192.168.100.11', port: '5000-5010', to: '10.0.0.1:6000' },
    ]
    expect(networkOf(config).routers[0]!.nat).toEqual([
      {
        type: 'dnat',
        protocol: 'udp',
        address: ip(192, 168, 100, 11),
        ports: { first: 5000, last: 5010 },
        to: ip(10, 0, 0, 1),
        toPort: 6000,
      },
    ])
  })
})

describe('JSON Schema', () => {
  test('every key has a description', () => {
    const missing: string[] = []
    const schema = jsonSchema() as Free
    const resolve = (node: Free) =>
      node.$ref === undefined ? node : schema.$defs[node.$ref.replace('#/$defs/', '')]
    const walk = (node: Free, path: string) => {
      for (const [key, reference] of Object.entries<Free>(node.properties ?? {})) {
        const value = resolve(reference)
        if (typeof value.description !== 'string') missing.push(`${path}.${key}`)
        walk(value, `${path}.${key}`)
      }
      for (const part of [
        node.additionalProperties,
        node.items,
        ...(node.oneOf ?? []),
        ...(node.anyOf ?? []),
      ]) {
        if (typeof part === 'object') walk(part, `${path}[]`)
      }
    }
    walk(schema, '$')
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(Object.keys(schema.properties)).toEqual(['$schema', 'bridges', 'hosts', 'routers', 'ssl'])
    expect(missing).toEqual([])
  })
})

describe('whatever it is given', () => {
  const document = () => {
    const parsed = JSON.parse(lab.replace(/^\s*\/\/.*$/gm, ''))
    return parsed as Free
  }

  /** All places of a value. */
  const places = (value: Free, path: (string | number)[] = []): (string | number)[][] =>
    value !== null && typeof value === 'object'
      ? [
          path,
          ...Object.keys(value).flatMap((k) =>
            places(value[k], [...path, Array.isArray(value) ? Number(k) : k]),
          ),
        ]
      : [path]

  const junk = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('10.0.0.1/24', '10.0.0.1', 'dhcp', 'br-in', 'eth0', 4096, -1, 1e300, '', [], {}, null),
    fc.string({ unit: 'binary' }),
  )

  test('the loader answers with a network or with errors that say where', () => {
    const all = places(document()).filter((p) => p.length > 0)
    const mutation = fc.tuple(
      fc.nat(all.length - 1),
      fc.constantFrom('set', 'delete', 'rename', 'copy'),
      junk,
      fc.nat(all.length - 1),
    )
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 5 }), (mutations) => {
        const value = document()
        const at = (path: (string | number)[]) => path.reduce((v: Free, k) => v?.[k], value)
        for (const [where, what, thing, from] of mutations) {
          const path = all[where]!
          const parent = at(path.slice(0, -1))
          const key = path.at(-1)!
          if (parent === null || typeof parent !== 'object') continue
          if (what === 'set') parent[key] = thing
          else if (what === 'delete') delete parent[key]
          else if (what === 'copy') parent[key] = structuredClone(at(all[from]!))
          else parent[JSON.stringify(thing)] = parent[key]
        }
        const result = loadConfig(JSON.stringify(value))
        if (result.ok) expect(result.network.bridges).toBeInstanceOf(Array)
        else {
          expect(result.errors.length).toBeGreaterThan(0)
          for (const e of result.errors) {
            expect(e.path).toMatch(/^\$/)
            expect(e.line).toBeGreaterThan(0)
            expect(e.expected).not.toMatch(/undefined|Invalid|\[object/)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('text cut or changed anywhere is refused or read, never thrown at', () => {
    fc.assert(
      fc.property(fc.nat(lab.length), fc.nat(40), fc.string({ unit: 'binary' }), (offset, length, put) => {
        const text = lab.slice(0, offset) + put + lab.slice(offset + length)
        const result = loadConfig(text)
        expect(result.ok || result.errors.length > 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

test('edit distance counts inserts, deletes, replacements and swaps', () => {
  expect(editDistance('adress', 'address')).toBe(1)
  expect(editDistance('brigde', 'bridge')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
  expect(nearest('gatway', ['bridge', 'gateway'])).toBe('gateway')
  expect(nearest('zzz', ['bridge', 'gateway'])).toBeUndefined()
})
