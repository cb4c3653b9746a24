/** All commands of `vsctl`, in the order of the help. */

import { BRIDGE_COMMANDS } from './bridge-commands.ts'
import type { VsctlCommand } from './command.ts'
import { CONTROL_COMMANDS } from './control-commands.ts'
import { DATABASE_COMMANDS } from './database-commands.ts'
import { PORT_COMMANDS } from './port-commands.ts'
import { SWITCH_COMMANDS } from './switch-commands.ts'

export const COMMANDS: readonly VsctlCommand[] = [
  ...SWITCH_COMMANDS,
  ...BRIDGE_COMMANDS,
  ...PORT_COMMANDS,
  ...CONTROL_COMMANDS,
  ...DATABASE_COMMANDS,
]
