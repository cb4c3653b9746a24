import { main } from '../process/main.ts'
import { OVSDB_SERVER } from './program.ts'

void main(OVSDB_SERVER)
