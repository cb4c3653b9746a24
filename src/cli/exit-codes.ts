/**
 * The exit codes of `vswitchd-ts`, in one place: what the code gives back, what `--help` prints and what the
 * README says come from this table. `exec` is the exception: it gives back the code of the command it ran.
 */
export const EXIT_OK = 0
export const EXIT_FAILURE = 1
export const EXIT_USAGE = 2
export const EXIT_CONFIG = 3
export const EXIT_NOT_RUNNING = 4
export const EXIT_ALREADY_RUNNING = 5
export const EXIT_ENVIRONMENT = 6

export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT_OK, 'done'],
  [EXIT_FAILURE, 'something failed while running'],
  [EXIT_USAGE, 'the command line is wrong'],
  [EXIT_CONFIG, 'the configuration is invalid or cannot be read'],
  [EXIT_NOT_RUNNING, 'no switch is running in this run directory'],
  [EXIT_ALREADY_RUNNING, 'a switch is already running in this run directory'],
  [EXIT_ENVIRONMENT, 'a privilege, a program, a device or a kernel feature is missing, or a name is taken'],
]
