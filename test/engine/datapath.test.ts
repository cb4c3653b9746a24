import { expect, test } from 'vitest'
import type { VlanSettings } from '../../engine/dpif.ts'
import { type Random, seededRandom } from '../../protocols/random.ts'
import { RefNetwork } from '../reference/bridge.ts'
import { type FrameParts, hex, makeFrame, type Tag } from '../support/frames.ts'
import { SwitchLab, vlan } from '../support/switch-lab.ts'

const FRAMES_PER_NETWORK = 4000
const MODES = ['access', 'trunk', 'native-tagged', 'native-untagged', 'dot1q-tunnel'] as const
const VLANS = [0, 1, 2, 3]

type Parts = Required<Omit<FrameParts, 'payload'>>

/** A random tree of bridges, built alike in the datapath and in the reference. */
class Twins {
  readonly lab: SwitchLab
  readonly ref = new RefNetwork()
  readonly random: Random
  readonly bridges: string[] = []
  readonly devices = new Map<string, string>()
  readonly patches = new Map<string, { bridge: string; peer: string }>()
  readonly #recent: [port: string, frame: Parts][] = []
  #nextSweep = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    // Caches too small for the traffic in half of the networks: eviction must not show either.
    this.lab = new SwitchLab({ seed, flowLimit: this.pick([32, 1024]), emcEntries: this.pick([16, 1024]) })
    const count = 1 + this.below(4)
    for (let i = 0; i < count; i++) this.putBridge(`br${i}`)
    for (let i = 1; i < count; i++) {
      const to = this.below(i)
      this.putPatch(`up${i}`, `br${i}`, `down${i}`)
      this.putPatch(`down${i}`, `br${to}`, `up${i}`)
    }
    for (let i = 0; i < 3 + this.below(6); i++) this.putDevice(`p${i}`, this.pick(this.bridges))
  }

  below(n: number): number {
    return this.random() % n
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]
  }

  vlan(): VlanSettings {
    const some = () => (this.below(2) === 0 ? [] : VLANS.filter(() => this.below(2) === 0))
    const mode = this.pick(MODES)
    return vlan({
      mode,
      tag: mode === 'trunk' ? 0 : this.pick(VLANS),
      trunks: mode === 'access' || mode === 'dot1q-tunnel' ? [] : some(),
      cvlans: mode === 'dot1q-tunnel' ? some() : [],
      priorityTags: this.pick(['no', 'if-nonzero', 'always']),
      qinqEthertype: this.pick(['802.1ad', '802.1q']),
    })
  }

  putBridge(name: string): void {
    if (!this.bridges.includes(name)) this.bridges.push(name)
    const agingTime = this.pick([4, 7, 60])
    const forwardBpdu = this.below(2) === 0
    this.lab.bridge(name, { agingTime, forwardBpdu })
    this.ref.bridge(name, agingTime, forwardBpdu)
  }

  putPatch(name: string, bridge: string, peer: string): void {
    // Mostly plain trunks, so that frames get through.
    const settings = this.below(3) === 0 ? this.vlan() : vlan({})
    this.patches.set(name, { bridge, peer })
    this.lab.patch(name, bridge, peer, settings)
    this.ref.port(name, bridge, settings, peer)
  }

  putDevice(name: string, bridge: string): void {
    const settings = this.vlan()
    this.devices.set(name, bridge)
    this.lab.port(name, bridge, settings)
    this.ref.port(name, bridge, settings)
  }

  /** Something in the configuration changes, or time passes. */
  change(): void {
    const port = this.pick([...this.devices.keys()])
    switch (this.below(8)) {
      case 0:
        this.putDevice(port, this.devices.get(port)!)
        break
      case 1:
        this.putDevice(port, this.pick(this.bridges))
        break
      case 2: {
        const bridge = this.devices.get(port)!
        this.lab.deletePort(port)
        this.ref.deletePort(port)
        if (this.devices.size > 2 && this.below(3) === 0) this.devices.delete(port)
        else this.putDevice(port, bridge)
        break
      }
      case 3:
        this.putBridge(this.pick(this.bridges))
        break
      case 4: {
        const bridge = this.pick(this.bridges)
        this.lab.commands.fdbFlush(bridge)
        this.ref.flush(bridge)
        break
      }
      case 5: {
        if (this.patches.size === 0) break
        const name = this.pick([...this.patches.keys()])
        const { bridge, peer } = this.patches.get(name)!
        if (this.below(2) === 0) {
          this.lab.commands.portDelete(name)
          this.ref.deletePort(name)
        }
        this.putPatch(name, bridge, peer)
        break
      }
      default:
        this.pass(1 + this.below(30))
    }
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.lab.now += 1000
      this.step()
    }
  }

  step(): string[] {
    const out = this.lab.step().map((s) => `${s.port} ${hex(s.frame)}`)
    if (this.lab.now >= this.#nextSweep) {
      this.#nextSweep = this.lab.now + 1000
      this.ref.expire(this.lab.now)
    }
    return out.sort()
  }

  tags(): Tag[] {
    const one = () => ({
      tpid: this.pick([0x8100, 0x8100, 0x88a8]),
      pcp: this.pick([0, 0, 5]),
      vid: this.pick(VLANS),
    })
    return Array.from({ length: this.pick([0, 0, 1, 1, 1, 2]) }, one)
  }

  frame(): Parts {
    const station = () => 0x02_0000_0000_00 + this.below(6)
    const dst = this.pick([
      station(),
      station(),
      station(),
      0xffff_ffff_ffff,
      0x0180_c200_0000 + this.below(18),
    ])
    const src = this.below(30) === 0 ? 0x0100_5e00_0001 : station()
    return { dst, src, tags: this.tags(), type: this.pick([0x0800, 0x0806, 0x86dd, 0x88b5]) }
  }

  /** Mostly something sent before, as traffic is, and sometimes something that differs from it in one respect. */
  next(): [port: string, frame: Uint8Array] {
    const i = this.below(40)
    const again = this.#recent[i]
    if (again !== undefined && this.devices.has(again[0])) {
      const [port, parts] = again
      if (this.below(4) > 0) return [port, makeFrame(parts)]
      const other = this.frame()
      const swapTpids = (tags: readonly Tag[]) => tags.map((t) => ({ ...t, tpid: t.tpid ^ 0x8100 ^ 0x88a8 }))
      const changed = this.pick([
        { ...parts, src: other.src },
        { ...parts, dst: other.dst },
        { ...parts, tags: other.tags },
        { ...parts, tags: swapTpids(parts.tags) },
        { ...parts, type: other.type },
      ])
      this.#recent[i] = [port, changed]
      return [port, makeFrame(changed)]
    }
    const fresh = this.frame()
    const port = this.pick([...this.devices.keys()])
    this.#recent[this.below(24)] = [port, fresh]
    return [port, makeFrame(fresh)]
  }

  exchange(n: number): void {
    for (let i = 0; i < n; i++) {
      if (this.below(60) === 0) this.change()
      if (this.below(12) === 0) this.pass(1 + this.below(4))
      const [port, frame] = this.next()
      const expected = this.ref.send(port, frame, this.lab.now)
      this.lab.device(port).inject(frame)
      expect(this.step(), `frame ${i} by ${port}: ${hex(frame)}`).toEqual(expected)
      if (i % 500 === 0) expect(this.stations()).toEqual(this.ref.stations())
    }
  }

  stations(): string[] {
    return this.bridges
      .flatMap((bridge) => this.lab.commands.fdb(bridge, 0).rows)
      .map((r) => `${r.bridge} ${r.vlan}/${r.mac.toString(16).padStart(12, '0')} ${r.port}`)
      .sort()
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
  'the cached datapath forwards as an uncached switch would, whatever is changed meanwhile (network %i)',
  (seed) => {
    const twins = new Twins(seed)
    twins.exchange(FRAMES_PER_NETWORK)
    const { emcHits, megaflowHits, upcalls } = twins.lab.commands.stats()
    expect(emcHits + megaflowHits + upcalls).toBe(FRAMES_PER_NETWORK)
    // Else it would be the translation alone that was tried.
    expect(emcHits + megaflowHits).toBeGreaterThan(FRAMES_PER_NETWORK / 5)
    expect(twins.lab.local.datapath.pool.available).toBe(twins.lab.local.datapath.pool.cells)
  },
)
