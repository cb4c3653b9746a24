import { Command } from 'commander'

/** `vswitchd-ts ofctl`: the everyday commands of ovs-ofctl(8), with the same text forms; see ofctl/. */
export function ofctlCommand(): Command {
  return new Command('ofctl').description('ask and program a switch by OpenFlow, as ovs-ofctl does')
}
