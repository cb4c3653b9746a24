/** Small configurations that several system tests start from. */

/** Two hosts on a bridge; what is given is added on top. */
export function twoHosts(more: { hosts?: object; bridges?: object; routers?: object } = {}): object {
  return {
    bridges: { br0: {}, ...more.bridges },
    hosts: {
      a: { interfaces: { eth0: { bridge: 'br0', address: '10.1.0.1/24' } } },
      b: { interfaces: { eth0: { bridge: 'br0', address: '10.1.0.2/24' } } },
      ...more.hosts,
    },
    ...(more.routers === undefined ? {} : { routers: more.routers }),
  }
}
