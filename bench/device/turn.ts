/** What one switch has shown in one round. */
export interface Turn {
  readonly readings: readonly Reading[]
  /** How often a figure was taken again because others were in the way. */
  readonly discarded: number
  /** Figures of which every try was disturbed; the last one counts. */
  readonly disturbed: number
  /** Why it could not be brought up, or broke down. */
  readonly failure?: string
}

export interface Reading {
  readonly figure: string
  readonly value: number
  readonly unit: string
  /** Small values are the better ones. */
  readonly cost?: boolean
}
