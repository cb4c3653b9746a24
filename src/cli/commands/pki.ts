import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { PkiCommand, PkiFlags } from '../run-pki.ts'

function keyBits(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1024 || n > 16384) {
    throw new InvalidArgumentError('It must be a number of bits, 1024 to 16384.')
  }
  return n
}

const NAME = () => new Argument('<name>', 'what the names of the files begin with')
const TYPE = () =>
  new Argument('[type]', 'whose certificate it is').choices(['switch', 'controller']).default('switch')

const COMMANDS: readonly (readonly [PkiCommand, string, readonly Argument[]])[] = [
  ['init', 'make the authorities for switches and for controllers', []],
  ['req', 'make NAME-privkey.pem and NAME-req.pem, a request for a certificate', [NAME()]],
  ['sign', 'sign NAME-req.pem: NAME-cert.pem', [NAME(), TYPE()]],
  ['req+sign', 'make all three files', [NAME(), TYPE()]],
  ['verify', 'say whether NAME-cert.pem is a valid certificate', [NAME(), TYPE()]],
  ['fingerprint', 'say what a file is recognized by', [new Argument('<file>')]],
  ['self-sign', 'sign NAME-req.pem with NAME-privkey.pem itself', [NAME()]],
  ['ls', 'list what an authority has signed', [TYPE()]],
]

export function pkiCommand(): Command {
  const pki = new Command('pki')
    .description('make the keys and certificates for ssl: and pssl:, as ovs-pki does')
    .option('-d, --dir <dir>', 'where the authorities are', '/var/lib/openvswitch/pki')
    .option('-f, --force', 'go on even if files exist')
    .option('-b, --batch', 'sign without asking whether the fingerprint matches')
    .option('-u, --unique', 'NAME is unique: add nothing to it')
    .addOption(new Option('-k, --key <type>', 'type of keys').choices(['rsa', 'ec']).default('rsa'))
    .addOption(new Option('-B, --bits <n>', 'bits of rsa keys').argParser(keyBits).default(2048))
    .addOption(
      new Option('-l, --log <file>', 'taken for the sake of scripts: there is nothing to log').hideHelp(),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts pki init\n  $ vswitchd-ts pki req+sign sc switch\n  $ vswitchd-ts pki req+sign ctl controller',
    )
  for (const [name, description, args] of COMMANDS) {
    const command = new Command(name).description(description)
    for (const arg of args) command.addArgument(arg)
    command.action(async () => {
      const { runPki } = await import('../run-pki.ts')
      await runPki(name, command.processedArgs as string[], command.optsWithGlobals<PkiFlags>())
    })
    pki.addCommand(command)
  }
  return pki
}
