import { closeSync, writeSync } from 'node:fs'
import type { CliError } from '../errors.ts'

/** The child's end of the pipe to the parent of a start in the background; one line of JSON a report. */
export const REPORT_FD = 3

export type Report =
  | { readonly progress: string }
  | { readonly ready: true }
  | { readonly error: { readonly code: number; readonly message: string; readonly hint?: string } }

/** What the child says to its parent. Whether anybody still listens is none of its business. */
export class ParentReport {
  #open = true

  #send(report: Report): void {
    if (!this.#open) return
    try {
      writeSync(REPORT_FD, `${JSON.stringify(report)}\n`)
    } catch {
      this.#close()
    }
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    closeSync(REPORT_FD)
  }

  /** Says nothing any more once the network is up. */
  progress(line: string): void {
    this.#send({ progress: line })
  }

  ready(): void {
    this.#send({ ready: true })
    this.#close()
  }

  error(error: CliError): void {
    const { code, message, hint } = error
    this.#send({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })
    this.#close()
  }
}
