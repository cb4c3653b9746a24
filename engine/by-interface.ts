/** Things by router and interface, or by router alone; what is there is found without making a string. */
export class ByInterface<T> {
  readonly #byRouter = new Map<string, Map<string | undefined, T>>()

  get(router: string, iface: string | undefined): T | undefined {
    return this.#byRouter.get(router)?.get(iface)
  }

  set(router: string, iface: string | undefined, thing: T): void {
    const things = this.#byRouter.get(router)
    if (things === undefined) this.#byRouter.set(router, new Map([[iface, thing]]))
    else things.set(iface, thing)
  }

  delete(router: string, iface: string | undefined): void {
    const things = this.#byRouter.get(router)
    if (things?.delete(iface) === true && things.size === 0) this.#byRouter.delete(router)
  }

  get isEmpty(): boolean {
    return this.#byRouter.size === 0
  }

  *values(): IterableIterator<T> {
    for (const things of this.#byRouter.values()) yield* things.values()
  }
}
