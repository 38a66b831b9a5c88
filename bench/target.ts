export type Bound = { atLeast: number } | { atMost: number }
/** A bound, and from how many movies on it holds. */
export type Target = Bound & { fromRows: number }

export const atLeast = (bound: number, fromRows = 0): Target => ({ atLeast: bound, fromRows })
export const atMost = (bound: number, fromRows = 0): Target => ({ atMost: bound, fromRows })

/** The bound for so many movies: the last one that holds. */
export const boundFor = (targets: readonly Target[], rows: number): Target | undefined =>
  targets.findLast(({ fromRows }) => fromRows <= rows)

export const isMet = (value: number, bound: Bound) =>
  'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost
