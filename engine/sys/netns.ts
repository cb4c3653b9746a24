/**
 * Network namespaces. A namespace belongs to a thread, and everything opened while the thread is inside stays
 * with it: so a socket or TAP is made inside, and used from wherever.
 */
import { checked, close, O_CLOEXEC, O_RDONLY, open, setns } from './libc.ts'

const CLONE_NEWNET = 0x40000000

/**
 * Runs `action` with the calling thread in the namespace at `path` (such as `/run/netns/vm1`), and comes back.
 * The action must be synchronous: whatever else runs on the thread meanwhile would run in there too.
 * If the way back fails the process ends: a thread lost in a foreign namespace would configure the wrong machine.
 * @throws SystemError ENOENT when there is no such namespace; whatever `action` throws
 */
export function inNamespace<T>(path: string, action: () => T): T {
  const target = checked(open(path, O_RDONLY | O_CLOEXEC, 0), 'open', path)
  try {
    return inNamespaceOf(target, path, action)
  } finally {
    close(target)
  }
}

/** The same for a namespace that is known by an open descriptor. */
export function inNamespaceOf<T>(fd: number, subject: string, action: () => T): T {
  const home = checked(open('/proc/thread-self/ns/net', O_RDONLY | O_CLOEXEC, 0), 'open', 'own namespace')
  try {
    checked(setns(fd, CLONE_NEWNET), 'setns', subject)
    try {
      return action()
    } finally {
      if (setns(home, CLONE_NEWNET) < 0) process.abort()
    }
  } finally {
    close(home)
  }
}
