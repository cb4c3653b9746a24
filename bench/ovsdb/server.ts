/** Our server alone, for the bench: `server.js DATABASE SOCKET` serves a file at a Unix socket. */
import { systemRandom } from '../../engine/sys/random.ts'
import { randomUuid } from '../../protocols/ovsdb/uuid.ts'
import { DatabaseFile } from '../../src/ovsdb/database-file.ts'
import { Remotes } from '../../src/ovsdb/remotes.ts'
import { OvsdbServer } from '../../src/ovsdb/server.ts'
import { realClock } from '../../src/services/scheduler.ts'

const [path, socket] = process.argv.slice(2) as [string, string]
const random = systemRandom()
const server = new OvsdbServer({ clock: realClock, random })
const { file, database } = DatabaseFile.open(path, () => randomUuid(random), console.error)
server.add(database, { log: file })
const remotes = new Remotes({ server, clock: realClock, directory: '/', tls: () => undefined })
await remotes.add(`punix:${socket}`)
