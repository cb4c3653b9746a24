/** Tables 0 to 254. */
export const TABLE_COUNT = 255
/** The table that clients see nothing of and cannot change. */
export const TABLE_INTERNAL = 254
