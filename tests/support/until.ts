/** Far above what anything takes, on a machine with much else to do too; below the 60 s that a test has. */
const LIMIT_MS = 50_000
const EVERY_MS = 10

type Maybe<T> = T | false | '' | 0 | null | undefined

/** Resolves once the condition holds, with what it returned: the only way in which a test waits for what has no event. */
export async function until<T>(condition: () => Maybe<T> | Promise<Maybe<T>>): Promise<T> {
  const endsAt = performance.now() + LIMIT_MS
  for (;;) {
    const result = await condition()
    if (result) return result
    if (performance.now() > endsAt) throw new Error(`never came true: ${condition}`)
    await Bun.sleep(EVERY_MS)
  }
}

/** Asks again while too many passwords wait for their turn to be hashed, as they may on a busy machine. */
export async function untilHashed<A extends { readonly status: number }>(ask: () => Promise<A>): Promise<A> {
  const answer = await ask()
  return answer.status === 503 ? untilHashed(ask) : answer
}

/** For what must not happen: throws when the condition fails within so long, so that a slow machine can only let it pass. */
export async function staysSo(condition: () => unknown, forMs: number): Promise<void> {
  for (const endsAt = performance.now() + forMs; performance.now() < endsAt; await Bun.sleep(EVERY_MS))
    if (!(await condition())) throw new Error(`did not stay true: ${condition}`)
}
