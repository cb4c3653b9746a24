/** zod for what is read once: to compile parsers, as it does by itself, takes longer than they save. */
import { z } from 'zod'

z.config({ jitless: true })

export { z }
