export type Bound = { atLeast: number } | { atMost: number }
/** A bound, and the number of movies from which it applies. */
export type Target = Bound & { fromRows: number }

export const atLeast = (bound: number, fromRows = 0): Target => ({ atLeast: bound, fromRows })
export const atMost = (bound: number, fromRows = 0): Target => ({ atMost: bound, fromRows })

/** The last bound that applies to this number of movies. */
export const boundFor = (targets: readonly Target[], rows: number): Target | undefined =>
  targets.findLast(({ fromRows }) => fromRows <= rows)

export const isMet = (value: number, bound: Bound) =>
  'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost
