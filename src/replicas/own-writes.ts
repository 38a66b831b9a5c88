const MAX_KNOWN = 100_000

export type OwnWrites = ReturnType<typeof createOwnWrites>

/** When each user last wrote, kept while a replica may lack the write. */
export function createOwnWrites(keepMs: number, now: () => number) {
  // Oldest first.
  const wroteAt = new Map<number, number>()
  let everybodyWroteAt = Number.NEGATIVE_INFINITY

  function forgetOld(time: number) {
    for (const [userId, at] of wroteAt) {
      if (time - at <= keepMs) return
      wroteAt.delete(userId)
    }
  }

  return {
    wrote(userId: number) {
      const time = now()
      wroteAt.delete(userId)
      if (wroteAt.size >= MAX_KNOWN) forgetOld(time)
      if (wroteAt.size >= MAX_KNOWN) {
        // Too many writers to track; treating all users as writers keeps the promise to each.
        wroteAt.clear()
        everybodyWroteAt = time
      }
      wroteAt.set(userId, time)
    },
    lastOf: (userId: number | undefined) =>
      Math.max((userId && wroteAt.get(userId)) ?? Number.NEGATIVE_INFINITY, everybodyWroteAt),
  }
}
