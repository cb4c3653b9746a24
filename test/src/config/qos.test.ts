import { expect, test } from 'vitest'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import { planElements } from '../../../src/reconcile/plan.ts'
import { base, errorsOf, type Free, networkOf } from './base.ts'
import { testCases } from './spoil.ts'

const port = (c: Free) => c.bridges['br-ex'].ports.p10
const PORT = '$.bridges.br-ex.ports.p10'
const HTB = () => ({ type: 'linux-htb', maxRate: 10_000_000, queues: { '1': { minRate: 2_000_000 } } })

test('stands wherever a port with a device is implied, and the dataplane is told', () => {
  const config = base()
  port(config).qos = HTB()
  config.bridges['br-ex'].qos = { type: 'linux-hfsc', queues: { '0': { maxRate: 5000 } } }
  config.bridges['br-ex'].ports.uplink.qos = { type: 'egress-policer', cir: 46_000, cbs: 2048 }
  config.hosts.vm1.interfaces.eth0.qos = {
    ...HTB(),
    queues: { '7': { minRate: 1000, maxRate: 2000, burst: 3000, priority: 4 } },
  }
  config.hosts.vm1.interfaces.eth0.ingressPolicing = { rate: 1_000_000 }
  const specs = elementsOf(networkOf(config)).flatMap((e) =>
    e.kind === 'port' || e.kind === 'interface' ? [[e.spec.name, e.spec] as const] : [],
  )
  const spec = Object.fromEntries(specs)
  expect(spec['p10'].qos).toEqual({ type: 'linux-htb', maxRate: 1e7, queues: [{ queue: 1, minRate: 2e6 }] })
  expect(spec['br-ex'].qos).toEqual({
    type: 'linux-hfsc',
    maxRate: 1e10,
    queues: [{ queue: 0, maxRate: 5000 }],
  })
  expect(spec['uplink'].qos).toEqual({ type: 'egress-policer', cir: 46_000, cbs: 2048 })
  expect(spec['vm1.eth0']).toMatchObject({
    qos: { queues: [{ queue: 7, minRate: 1000, maxRate: 2000, burst: 3000, priority: 4 }] },
    ingressPolicing: { rate: 1e6, burst: 8e6 },
  })
  expect(spec['vm2.eth0']).not.toHaveProperty('qos')
})

test('other rates change the port and nothing else', () => {
  const before = base()
  port(before).qos = HTB()
  const after = base()
  port(after).qos = { ...HTB(), maxRate: 20_000_000 }
  const steps = planElements(elementsOf(networkOf(before)), elementsOf(networkOf(after)))
  expect(steps.map((s) => s.do.op)).toEqual(['change'])
  expect(steps[0].title).toBe('change interface p10 on br-ex')
})

test('the whole of a valid port', () => {
  const config = base()
  port(config).qos = { ...HTB(), queues: { '0': {}, '61439': { minRate: 1000, maxRate: 1000 } } }
  expect(errorsOf(config)).toEqual([])
})

testCases([
  [
    'an unknown type',
    (c) => (port(c).qos = { type: 'linux-hbt' }),
    [`${PORT}.qos.type`, '"linux-hbt"', 'one of "linux-htb", "linux-hfsc", "egress-policer"'],
  ],
  [
    'queues of a policer',
    (c) => (port(c).qos = { type: 'egress-policer', cir: 1, cbs: 1, queues: {} }),
    [`${PORT}.qos.queues`, '{}', 'no queues in a qos of type "egress-policer"'],
  ],
  [
    'a policer without a rate',
    (c) => (port(c).qos = { type: 'egress-policer', cbs: 1 }),
    [`${PORT}.qos.cir`, 'nothing', 'a number of bytes a second'],
  ],
  [
    'a queue by name',
    (c) => (port(c).qos = { ...HTB(), queues: { voice: {} } }),
    [`${PORT}.qos.queues.voice`, 'the name "voice"', 'the number of a queue, from 0 to 61439'],
  ],
  [
    'a queue whose number is too high',
    (c) => (port(c).qos = { ...HTB(), queues: { '61440': {} } }),
    [`${PORT}.qos.queues.61440`, 'the name "61440"', 'the number of a queue, from 0 to 61439'],
  ],
  [
    'a guarantee above the limit',
    (c) => (port(c).qos = { ...HTB(), queues: { '1': { minRate: 2000, maxRate: 1000 } } }),
    [`${PORT}.qos.queues.1.minRate`, '2000', 'no more than 1000, the maxRate'],
  ],
  [
    'guarantees that exceed the port',
    (c) => (port(c).qos = { ...HTB(), queues: { '1': { minRate: 8_000_000 }, '2': { minRate: 3_000_000 } } }),
    [
      `${PORT}.qos.queues.2.minRate`,
      '3000000',
      "no more than 2000000, what other queues leave of the port's maxRate",
    ],
  ],
  [
    'a priority in linux-hfsc',
    (c) => (port(c).qos = { ...HTB(), type: 'linux-hfsc', queues: { '1': { priority: 1 } } }),
    [`${PORT}.qos.queues.1.priority`, '1', 'no priority in a queue of type "linux-hfsc"'],
  ],
  [
    'a rate in words',
    (c) => (c.hosts.vm1.interfaces.eth0.ingressPolicing = { rate: '1M' }),
    [
      '$.hosts.vm1.interfaces.eth0.ingressPolicing.rate',
      '"1M"',
      'a number of bits a second from 1000 to 1000000000000',
    ],
  ],
  [
    'a patch port that shapes',
    (c) => {
      c.bridges['br-ex'].ports.pa = { type: 'patch', peer: 'pb', qos: HTB() }
      c.bridges['br-in'].ports = { pb: { type: 'patch', peer: 'pa' } }
    },
    [
      '$.bridges.br-ex.ports.pa.qos',
      'an object',
      'no qos on a port of type "patch" (only on type "tap", "system", "internal", "dummy")',
    ],
  ],
])
