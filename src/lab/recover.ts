import type { Machine } from './context.ts'
import { removeNamespace } from './namespace.ts'
import { removeDirectory, removeFile } from './resolver.ts'
import { lowerDevice } from './system-port.ts'
import { giveBackUplink } from './uplink.ts'

/**
 * Takes back what a daemon that is no longer there has left, newest first, and says what. What cannot be taken
 * back stays in the ledger for the next time.
 */
export async function recover(machine: Machine, onRemoved: (what: string) => void): Promise<void> {
  for (const entry of [...machine.ledger.entries].reverse()) {
    try {
      switch (entry.kind) {
        case 'namespace':
          if (await removeNamespace(machine, entry.name)) onRemoved(`namespace ${entry.name}`)
          break
        case 'uplink':
          if (await giveBackUplink(machine, entry.device)) {
            onRemoved(`addresses of ${entry.device} from ${entry.internal}, given back`)
          }
          break
        case 'link':
          lowerDevice(machine, entry.device)
          break
        case 'file':
          if (removeFile(machine, entry.path)) onRemoved(entry.path)
          break
        case 'directory':
          removeDirectory(machine, entry.path)
          break
      }
    } catch (error) {
      machine.warn(`${entry.kind} left by an earlier run: ${(error as Error).message}`)
    }
  }
  machine.ledger.close()
}
