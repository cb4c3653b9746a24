/** OpenFlow versions by their byte in the header. Experimental 1.6 has none here. */
export const OF10 = 1
export const OF11 = 2
export const OF12 = 3
export const OF13 = 4
export const OF14 = 5
export const OF15 = 6
export type OfVersion = 1 | 2 | 3 | 4 | 5 | 6
