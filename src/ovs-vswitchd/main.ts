import { main } from '../process/main.ts'
import { OVS_VSWITCHD } from './program.ts'

await main(OVS_VSWITCHD)
