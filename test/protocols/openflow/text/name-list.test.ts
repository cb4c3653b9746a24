import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compressNames } from '../../../../protocols/openflow/text/name-list.ts'

test.each([
  [['in_port', 'in_port_oxm'], 'in_{port,port_oxm}'],
  [['eth_src', 'eth_dst', 'eth_type', 'vlan_vid'], 'eth_{src,dst,type} vlan_vid'],
  [['reg0', 'reg1', 'reg2', 'reg3', 'xreg0', 'xreg1'], 'reg0...reg3 xreg0 xreg1'],
  [['tun_id', 'tun_ipv6_src', 'tun_ipv6_dst', 'tun_flags'], 'tun_{id,ipv6_{src,dst},flags}'],
  [['nsh_flags', 'nsh_c1', 'nsh_c2', 'nsh_c3', 'nsh_ttl'], 'nsh_{flags,c1...c3,ttl}'],
  [['nw_tos', 'ip_dscp', 'nw_ecn', 'nw_ttl'], 'nw_tos ip_dscp nw_{ecn,ttl}'],
  [[], ''],
])('%j', (names, text) => {
  expect(compressNames(names)).toBe(text)
})

/** What the braces and dots stand for. */
function expand(text: string): string[] {
  const out: string[] = []
  let o = 0
  const list = (prefix: string, end: string): void => {
    while (o < text.length && text[o] !== end) {
      const word = /^[^{},. ]*/.exec(text.slice(o))![0]
      o += word.length
      if (text[o] === '{') {
        o++
        list(prefix + word, '}')
        o++
      } else if (text.startsWith('...', o)) {
        o += 3
        const last = /^[^{},. ]*/.exec(text.slice(o))![0]
        o += last.length
        const stem = word.replace(/\d+$/, '')
        const number = (s: string): number => Number(/\d+$/.exec(s)![0])
        for (let n = number(word); n <= number(last); n++) out.push(prefix + stem + n)
      } else out.push(prefix + word)
      if (text[o] === ',' || text[o] === ' ') o++
    }
  }
  list('', '')
  return out
}

test('no name is lost', () => {
  const part = fc.constantFrom('a', 'b', 'src', 'dst', 'reg', 'c')
  const name = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.option(fc.nat(4), { nil: undefined }))
    .map(([parts, n]) => parts.join('_') + (n ?? ''))
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
      expect(expand(compressNames(names))).toEqual(names)
    }),
  )
})
