import { BridgesSchema } from './bridges.ts'
import { record } from './fields.ts'
import { HostsSchema } from './hosts.ts'
import { SslSchema } from './openflow.ts'
import { RoutersSchema } from './routers.ts'
import { z } from './zod.ts'

/** The whole configuration file. */
export const ConfigSchema = record(
  () => ({
    $schema: z.string({ error: 'the address of a JSON Schema' }).optional().meta({
      description: 'Where editors find the schema of this file; `vswitchd-ts schema` prints it.',
    }),
    bridges: BridgesSchema.optional(),
    hosts: HostsSchema.optional(),
    routers: RoutersSchema.optional(),
    ssl: SslSchema.optional(),
  }),
  { description: 'A network of bridges, hosts and routers, carried by vswitchd-ts.' },
)

export type ConfigInput = z.input<typeof ConfigSchema>

/** JSON Schema (draft 2020-12) of the configuration file, with descriptions and examples of every key. */
export function jsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(ConfigSchema, { io: 'input', target: 'draft-2020-12' })
  return { $schema, title: 'vswitchd-ts configuration', ...rest }
}
