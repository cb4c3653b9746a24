import { Command } from 'commander'
import { printJson } from '../output.ts'

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of configurations, with which editors complete and explain every key')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts schema > vswitchd.schema.json   # and "$schema": "./vswitchd.schema.json" in the configuration',
    )
    .action(async () => {
      const { jsonSchema } = await import('../../config/schema.ts')
      printJson(jsonSchema())
    })
}
