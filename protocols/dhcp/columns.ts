/** Numbers by row, outside of the heap that garbage collections go through. */
export type Column = Uint8Array | Uint32Array | Int32Array | Float64Array

const FIRST_ROWS = 64

/** The column, or one with twice the room and the same in it, so that it has that row; what is new is 0. */
export function withRow<C extends Column>(column: C, row: number): C {
  if (row < column.length) return column
  const wider = new (column.constructor as new (rows: number) => C)(
    Math.max(FIRST_ROWS, 2 * column.length, row + 1),
  )
  wider.set(column)
  return wider
}
