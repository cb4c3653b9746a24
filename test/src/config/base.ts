import type { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Network } from '../../../src/config/network.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tests break configurations in every way, types included
export type Free = any

/** A small valid network, fresh each time, for tests to break. */
export function base(): Free {
  return {
    bridges: {
      'br-in': {},
      'br-ex': {
        address: '192.168.100.21/24',
        ports: { uplink: { type: 'system', device: 'eno1' }, p10: { tag: 10 } },
      },
    },
    hosts: {
      vm1: {
        interfaces: { eth0: { bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' } },
      },
      vm2: { interfaces: { eth0: { bridge: 'br-in', address: 'dhcp' } } },
    },
    routers: {
      rt: {
        interfaces: {
          eth0: {
            bridge: 'br-in',
            address: '10.0.0.254/24',
            dhcp: { range: ['10.0.0.151', '10.0.0.160'], leaseTime: 86400 },
          },
          eth1: { bridge: 'br-ex', address: '192.168.100.11/24' },
        },
        routes: [{ to: '0.0.0.0/0', via: '192.168.100.1' }],
        nat: [{ type: 'snat', source: '10.0.0.0/24', to: '192.168.100.11' }],
      },
    },
  }
}

export function errorsOf(config: unknown): readonly ConfigError[] {
  const result = loadConfig(typeof config === 'string' ? config : JSON.stringify(config))
  return result.ok ? [] : result.errors
}

export function networkOf(config: unknown): Network {
  const result = loadConfig(typeof config === 'string' ? config : JSON.stringify(config))
  if (!result.ok) throw new Error(result.errors.map((e) => e.message).join('\n'))
  return result.network
}
