import type { BaseType } from '../../protocols/ovsdb/base-type.ts'
import { isStrongRef } from '../../protocols/ovsdb/base-type.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import { VsctlError } from './command.ts'

interface Symbol {
  uuid: Uuid
  created: boolean
  strong: boolean
  weak: boolean
}

/** Names like `@port` that stand for rows of one transaction, "--id" in ovs-vsctl(8). */
export class Symbols {
  readonly #symbols = new Map<string, Symbol>()
  readonly #newUuid: () => Uuid

  constructor(newUuid: () => Uuid) {
    this.#newUuid = newUuid
  }

  /** The UUID that a reference leads to. */
  refer(name: string, reference: BaseType): Uuid {
    const symbol = this.#symbol(name)
    if (isStrongRef(reference)) symbol.strong = true
    else symbol.weak = true
    return symbol.uuid
  }

  /** @param isRoot whether the row stays without any reference. @returns the UUID that the new row goes by */
  create(name: string, isRoot: boolean): Uuid {
    const symbol = this.#define(name)
    symbol.strong ||= isRoot
    return symbol.uuid
  }

  /** Names a row that is there. */
  name(name: string, uuid: Uuid): void {
    const known = this.#symbols.has(name)
    const symbol = this.#define(name)
    if (known)
      throw new VsctlError(`row id "${name}" specified on "get" command was used before it was defined`)
    symbol.uuid = uuid
    symbol.strong = true
  }

  /** When all commands are done: what was never made, and what will not stay. */
  check(warn: (text: string) => void): void {
    for (const [name, { created, strong, weak }] of this.#symbols) {
      if (!created) {
        throw new VsctlError(
          `row id "${name}" is referenced but never created (e.g. with "-- --id=${name} create ...")`,
        )
      }
      if (strong) continue
      const what = weak ? 'only a weak reference to it was inserted' : 'no reference to it was inserted'
      warn(`row id "${name}" was created but ${what}, so it will not actually appear in the database`)
    }
  }

  #define(name: string): Symbol {
    if (!name.startsWith('@')) throw new VsctlError(`row id "${name}" does not begin with "@"`)
    const symbol = this.#symbol(name)
    if (symbol.created) throw new VsctlError(`row id "${name}" may only be specified on one --id option`)
    symbol.created = true
    return symbol
  }

  #symbol(name: string): Symbol {
    const known = this.#symbols.get(name)
    if (known !== undefined) return known
    const symbol = { uuid: this.#newUuid(), created: false, strong: false, weak: false }
    this.#symbols.set(name, symbol)
    return symbol
  }
}
