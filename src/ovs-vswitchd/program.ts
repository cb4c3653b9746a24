/** `ovs-vswitchd`: the switch as a client of a database, with the command line of ovs-vswitchd(8). */
import { TLS_HELP, TLS_OPTIONS } from '../process/daemon-options.ts'
import type { DaemonProgram } from '../process/daemon-program.ts'
import type { Directories } from '../process/directories.ts'

const NAME = 'ovs-vswitchd'

export const databaseSocket = ({ run }: Directories): string => `unix:${run}/db.sock`

export const OVS_VSWITCHD: DaemonProgram = {
  name: NAME,
  options: [
    { long: 'mlockall', argument: 'none' },
    { long: 'enable-dummy', argument: 'optional' },
    { long: 'disable-system', argument: 'none' },
    { long: 'disable-system-route', argument: 'none' },
    { long: 'dpdk', argument: 'optional' },
    ...TLS_OPTIONS,
  ],
  maxArguments: 1,
  cleansUp: true,
  help: (directories) => `${NAME}: Open vSwitch daemon
usage: ${NAME} [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "${databaseSocket(directories)}").

Active DATABASE connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           SSL PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
${TLS_HELP}`,
  ownHelp: () => `
Other options:
  --unixctl=SOCKET        where the control socket is, or "none"
  --enable-dummy[=override|system]
                          devices in memory for tests, in place of others
  --mlockall, --disable-system, --disable-system-route
                          of no effect here
  -h, --help              display this help message
  -V, --version           display version information
`,
  // What a parent or a person who asks for help has no need of is loaded here.
  async start(context) {
    const { startSwitch } = await import('./start-switch.ts')
    return startSwitch(context, databaseSocket(context.directories))
  },
}
