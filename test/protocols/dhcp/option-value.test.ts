import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDomainList, parseDomainList } from '../../../protocols/dhcp/domain-list.ts'
import { findOption, OPTION_DEFINITIONS, optionName } from '../../../protocols/dhcp/option-table.ts'
import {
  encodeCustomOption,
  encodeNamedOption,
  encodeOptions,
  encodeValue,
  formatOption,
} from '../../../protocols/dhcp/option-value.ts'
import { encodeText, formatHex, parseHex, printableText } from '../../../protocols/dhcp/text.ts'

const bytes = (name: string, value: unknown): number[] | string => {
  const r = encodeNamedOption(name, value)
  return r.ok ? [r.code, ...r.data] : r.error.code
}

describe('option table', () => {
  it('has every option of RFC 2132, and no name or number twice', () => {
    const codes = OPTION_DEFINITIONS.map((d) => d.code)
    expect(new Set(codes).size).toBe(codes.length)
    const names = OPTION_DEFINITIONS.flatMap((d) => d.names)
    expect(new Set(names).size).toBe(names.length)
    for (let code = 1; code <= 76; code++) {
      // 62 and 63 are NetWare's (RFC 2242), not RFC 2132's.
      if (code !== 62 && code !== 63) expect(codes, String(code)).toContain(code)
    }
  })
  it('finds by any spelling, by number, in any case', () => {
    for (const name of ['router', 'routers', 'ROUTER', '3']) expect(findOption(name)?.code).toBe(3)
    expect(findOption('dns-server')?.code).toBe(6)
    expect(findOption('constructor')).toBeUndefined()
    expect(optionName(3)).toBe('router')
    expect(optionName(224)).toBe('option 224')
  })
})

describe('option values', () => {
  it.each<[string, unknown, number[] | string]>([
    ['router', '10.0.0.254', [3, 10, 0, 0, 254]],
    ['router', ['10.0.0.1', '10.0.0.2'], [3, 10, 0, 0, 1, 10, 0, 0, 2]],
    ['router', [], 'BAD_VALUE'],
    ['router', '10.0.0', 'BAD_VALUE'],
    ['subnet-mask', '255.255.0.0', [1, 255, 255, 0, 0]],
    ['subnet-mask', ['255.255.0.0'], 'BAD_VALUE'],
    ['time-offset', -3600, [2, 255, 255, 241, 240]],
    ['interface-mtu', 1400, [26, 5, 120]],
    ['interface-mtu', 70000, 'BAD_VALUE'],
    ['interface-mtu', '1400', 'BAD_VALUE'],
    ['interface-mtu', 1.5, 'BAD_VALUE'],
    ['ip-forwarding', true, [19, 1]],
    ['ip-forwarding', 1, 'BAD_VALUE'],
    ['default-ip-ttl', 64, [23, 64]],
    ['arp-cache-timeout', 4294967295, [35, 255, 255, 255, 255]],
    ['path-mtu-plateau-table', [68, 1500], [25, 0, 68, 5, 220]],
    ['domain-name', 'örg', [15, 195, 182, 114, 103]],
    ['domain-name', '', 'BAD_VALUE'],
    ['static-routes', [['192.0.2.0', '10.0.0.1']], [33, 192, 0, 2, 0, 10, 0, 0, 1]],
    ['static-routes', [['192.0.2.0']], 'BAD_VALUE'],
    ['vendor-encapsulated-options', '01:02:ff', [43, 1, 2, 255]],
    ['vendor-encapsulated-options', [1, 2], [43, 1, 2]],
    ['vendor-encapsulated-options', '012', 'BAD_VALUE'],
    ['sip-servers', '10.0.0.1', [120, 1, 10, 0, 0, 1]],
    ['sip-servers', 'a.b', [120, 0, 1, 97, 1, 98, 0]],
    ['no-such-option', 1, 'UNKNOWN_OPTION'],
    ['224', 1, 'UNKNOWN_OPTION'],
    ['dhcp-server-identifier', '10.0.0.1', 'PROTOCOL_OPTION'],
    ['lease-time', 5, 'PROTOCOL_OPTION'],
  ])('%s = %j', (name, value, expected) => {
    expect(bytes(name, value)).toEqual(expected)
  })

  it('classless routes as in the examples of RFC 3442', () => {
    const via = '10.0.0.1'
    const route = (to: string) => [...encodeValue('routes', { to, via })!].slice(0, -4)
    expect(route('0.0.0.0/0')).toEqual([0])
    expect(route('10.0.0.0/8')).toEqual([8, 10])
    expect(route('10.17.0.0/16')).toEqual([16, 10, 17])
    expect(route('10.27.129.0/24')).toEqual([24, 10, 27, 129])
    expect(route('10.229.0.128/25')).toEqual([25, 10, 229, 0, 128])
    expect(route('10.198.122.47/32')).toEqual([32, 10, 198, 122, 47])
    expect(encodeValue('routes', { to: '10.0.0.1/8', via })).toBeUndefined()
    expect(encodeValue('routes', [{ to: '10.0.0.0/8' }])).toBeUndefined()
  })

  it('domain search lists as in the example of RFC 3397 §3', () => {
    const data = encodeDomainList(['eng.apple.com.', 'marketing.apple.com.'], true)!
    expect(data[0]).toBe(3)
    expect([...data.subarray(-2)]).toEqual([0xc0, 4])
    expect(data).toHaveLength(27)
    expect(parseDomainList(data)).toEqual(['eng.apple.com', 'marketing.apple.com'])
  })

  it('by number and type', () => {
    expect(encodeCustomOption({ code: 224, type: 'u32', value: 258 })).toEqual({
      ok: true,
      code: 224,
      data: Uint8Array.of(0, 0, 1, 2),
    })
    const code = (o: unknown) => {
      const r = encodeCustomOption(o as never)
      return r.ok ? 'ok' : r.error.code
    }
    expect(code({ code: 0, type: 'u8', value: 1 })).toBe('BAD_CODE')
    expect(code({ code: 255, type: 'u8', value: 1 })).toBe('BAD_CODE')
    expect(code({ code: 53, type: 'u8', value: 1 })).toBe('PROTOCOL_OPTION')
    expect(code({ code: 224, type: 'u9', value: 1 })).toBe('BAD_TYPE')
    expect(code({ code: 224, type: 'ip-list', value: 'x' })).toBe('BAD_VALUE')
  })

  it('as a set: all errors at once, with the name in each message, and nothing twice', () => {
    const { options, errors } = encodeOptions(
      { router: '10.0.0.1', routers: '10.0.0.2', mtu: 'x', nix: 1, 15: 'lab' },
      [{ code: 15, type: 'text', value: 'again' }],
    )
    expect([...options.keys()].sort()).toEqual([15, 3])
    expect(errors.map((e) => `${e.option} ${e.code}`).sort()).toEqual([
      'mtu BAD_VALUE',
      'nix UNKNOWN_OPTION',
      'option 15 TWICE',
      'routers TWICE',
    ])
    for (const e of errors) expect(e.message).toContain(e.option)
  })

  it('never throws, whatever stands in the configuration', () => {
    const names = fc.oneof(fc.constantFrom(...OPTION_DEFINITIONS.map((d) => d.names[0])), fc.string())
    fc.assert(
      fc.property(names, fc.anything(), (name, value) => {
        const r = encodeNamedOption(name, value)
        expect(r.ok ? r.data instanceof Uint8Array : r.error.message !== '').toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('formats any bytes of any option', () => {
    expect(formatOption(3, Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2))).toBe('10.0.0.1, 10.0.0.2')
    expect(formatOption(3, Uint8Array.of(10, 0, 0))).toBe('0a:00:00')
    expect(formatOption(26, Uint8Array.of(5, 220))).toBe('1500')
    expect(formatOption(12, Uint8Array.of(97, 27, 0))).toBe('a\\x1b')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array(), (code, data) => {
        expect(typeof formatOption(code, data)).toBe('string')
      }),
    )
  })
})

describe('text and names', () => {
  it('UTF-8 as the platform has it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        expect(encodeText(s)).toEqual(new Uint8Array(Buffer.from(s, 'utf8')))
      }),
    )
  })
  it('hexadecimal there and back, with any separator', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('', ':', '-', ' '), (b, separator) => {
        expect(parseHex(formatHex(b).replaceAll(':', separator))).toEqual(b)
      }),
    )
    for (const bad of ['0', '0g', '01:', ':01', '1:2']) expect(parseHex(bad), bad).toBeUndefined()
  })
  it('printable text holds no control characters', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (b) => {
        expect(printableText(b)).toMatch(/^[ -~]*$/)
      }),
    )
  })
  it('domain lists there and back', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/)
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((l) => l.join('.'))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), fc.boolean(), (names, compress) => {
        expect(parseDomainList(encodeDomainList(names, compress)!)).toEqual(names)
      }),
    )
  })
  it('domain lists of any bytes: no throw, no loop', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 2, 3, 0xc0, 0xc1, 63, 64), { maxLength: 60 }), (b) => {
        const names = parseDomainList(Uint8Array.from(b))
        expect(names === undefined || names.every((n) => n.length <= 255)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})
