/** "transact" (RFC 7047 §4.1.3): a list of operations on a database value, all or nothing. */

import type { Access } from './access.ts'
import type { Database } from './database.ts'
import { OvsdbError } from './error.ts'
import { type Execution, SymbolTable } from './execution.ts'
import type { Json } from './json-text.ts'
import { Members } from './members.ts'
import { OPERATIONS } from './operations.ts'
import type { RowChange } from './row.ts'
import { Transaction } from './transaction.ts'
import type { Uuid } from './uuid.ts'
import { Blocked } from './wait.ts'

/** What a transaction gets from outside. */
export interface Environment {
  newUuid(): Uuid
  /** How long the transaction has been waiting already, in ms. */
  readonly elapsed?: number
  /** Whether the client owns the lock; it owns none where this is undefined. */
  holdsLock?(name: string): boolean
  /** What the client may change, if that is not everything. */
  readonly access?: Access
  /** The client may change nothing. */
  readonly readOnly?: boolean
  /** The server itself asks, which alone changes databases whose name begins with "_". */
  readonly internal?: boolean
  /** Another server carries out what writes; here it is only tried. */
  readonly forwards?: boolean
}

export interface Done {
  readonly status: 'done'
  /** One element for each operation; null for those after one that failed; an error at the end when all did. */
  readonly results: readonly Json[]
  /** The next database, or the same when nothing changed. */
  readonly database: Database
  readonly changes: readonly RowChange[]
  /** The reply must wait until the changes are on the disk. */
  readonly durable: boolean
  /** For the log. */
  readonly comment: string
}

/** A "wait" is not satisfied: to be tried again when the database changes, or when the time is up. */
export interface Waiting {
  readonly status: 'waiting'
  /** Ms from the first try; Infinity: for ever. */
  readonly timeout: number
}

/** Every operation can be carried out, and there are some that write, which is for another server to do. */
export interface Forwarded {
  readonly status: 'forwarded'
}

/** `operations` are the parameters of "transact" but for the first. Throws nothing. */
export function transact(
  database: Database,
  operations: readonly Json[],
  environment: Environment,
): Done | Waiting | Forwarded {
  const execution: Execution = {
    transaction: new Transaction(database),
    environment,
    names: new SymbolTable(() => environment.newUuid()),
    version: environment.newUuid(),
    writes: false,
    durable: false,
    comments: [],
  }
  const results: Json[] = []
  const failed = (error: unknown): Done => {
    if (!(error instanceof OvsdbError)) throw error
    results.push(error.toJson())
    while (results.length < operations.length) results.push(null)
    return { status: 'done', results, database, changes: [], durable: false, comment: '' }
  }
  for (const operation of operations) {
    try {
      results.push(execute(execution, operation, `${results.length + 1} of ${operations.length}`))
    } catch (error) {
      if (error instanceof Blocked) return { status: 'waiting', timeout: error.timeout }
      return failed(error)
    }
  }
  if (environment.forwards && execution.writes) return { status: 'forwarded' }
  try {
    const committed = execution.transaction.commit(execution.version)
    const { durable, comments } = execution
    return { status: 'done', results, ...committed, durable, comment: comments.join('\n') }
  } catch (error) {
    return failed(error)
  }
}

function execute(execution: Execution, json: Json, position: string): Json {
  const members = new Members(json, `ovsdb operation ${position}`)
  const name = members.required('op', 'id')
  const operation = OPERATIONS.get(name)
  if (operation === undefined) throw members.error(`No operation "${name}"`)
  const result = operation.run(execution, members)
  if (operation.writes) {
    execution.writes = true
    const { schema } = execution.transaction.database
    if (execution.environment.readOnly) {
      throw notAllowed(`${name} operation not allowed when database server is in read only mode`)
    }
    if (schema.name.startsWith('_') && !execution.environment.internal) {
      throw notAllowed(`${name} operation not allowed on table in reserved database ${schema.name}`)
    }
  }
  return result
}

function notAllowed(details: string): OvsdbError {
  return new OvsdbError('not allowed', details)
}
