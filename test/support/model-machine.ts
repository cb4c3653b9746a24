import type { Network } from '../../src/config/network.ts'
import type { Element } from '../../src/reconcile/element.ts'
import { elementsOf } from '../../src/reconcile/elements.ts'
import { type Change, sameElement } from '../../src/reconcile/plan.ts'

/** A machine that has exactly the elements it was given, and refuses what a real one would refuse. */
export class Model {
  readonly elements = new Map<string, Element>()

  constructor(of?: Network) {
    for (const element of of === undefined ? [] : elementsOf(of)) this.#put(element)
  }

  perform = async (change: Change): Promise<void> => {
    const { element } = change
    if (change.op === 'create') {
      if (this.elements.has(element.key)) throw new Error(`${element.key} is there`)
      this.#put(element)
    } else if (change.op === 'change') {
      const present = this.elements.get(element.key)
      if (present === undefined || !sameElement(present, change.from)) throw new Error(`not ${element.key}`)
      this.#put(element)
    } else {
      this.#remove(element)
    }
  }

  #put(element: Element): void {
    for (const key of element.needs) {
      if (!this.elements.has(key)) throw new Error(`${element.key} lacks ${key}`)
    }
    for (const other of this.elements.values()) {
      if (other.key === element.key) continue
      const name = portName(element)
      if (name !== undefined && name === portName(other)) throw new Error(`two ports ${name}`)
      const device = place(element)
      if (device !== undefined && device === place(other)) throw new Error(`two devices ${device}`)
    }
    for (const carrier of carriers(element)) {
      if (!this.elements.has(carrier)) throw new Error(`${element.key} without ${carrier}`)
    }
    this.elements.set(element.key, element)
  }

  #remove(element: Element): void {
    if (!this.elements.delete(element.key)) throw new Error(`${element.key} is not there`)
    for (const other of this.elements.values()) {
      if (other.needs.includes(element.key) || carriers(other).includes(element.key)) {
        throw new Error(`${other.key} stands on ${element.key}`)
      }
    }
  }

  get state(): Element[] {
    return [...this.elements.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(bare)
  }
}

/** Titles and dependencies are no state of the machine. */
export function bare(element: Element): Element {
  return { ...element, title: '', needs: [] }
}

function portName(element: Element): string | undefined {
  return element.kind === 'port' || element.kind === 'interface' ? element.spec.name : undefined
}

function place(element: Element): string | undefined {
  return element.kind === 'interface' ? `${element.namespace} ${element.device}` : undefined
}

function carriers(element: Element): string[] {
  if (element.kind !== 'port' && element.kind !== 'interface') return []
  const { bridge, kind } = element.spec
  return [`bridge/${bridge}`, ...(kind.type === 'router' ? [`router/${kind.router}`] : [])]
}
