import { main } from '../process/main.ts'
import { OVS_VSWITCHD } from './program.ts'

void main(OVS_VSWITCHD)
