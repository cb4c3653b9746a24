import { main } from '../process/main.ts'
import { OVSDB_SERVER } from './program.ts'

await main(OVSDB_SERVER)
