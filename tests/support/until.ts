/** Longer than anything takes even on a busy machine, and less than a test's 240 s. */
const LIMIT_MS = 100_000
const EVERY_MS = 10

type Maybe<T> = T | false | '' | 0 | null | undefined

/** Resolves with the condition's result once it holds; the only way for tests to wait without an event. */
export async function until<T>(condition: () => Maybe<T> | Promise<Maybe<T>>): Promise<T> {
  const endsAt = performance.now() + LIMIT_MS
  for (;;) {
    const result = await condition()
    if (result) return result
    if (performance.now() > endsAt) throw new Error(`never came true: ${condition}`)
    await Bun.sleep(EVERY_MS)
  }
}

/** Repeats the request while a busy machine refuses it, as too many passwords wait to be hashed. */
export async function untilHashed<A extends { readonly status: number }>(ask: () => Promise<A>): Promise<A> {
  const answer = await ask()
  return answer.status === 503 ? untilHashed(ask) : answer
}

/** Throws if the condition fails within this time; a slow machine can only let it pass. */
export async function staysSo(condition: () => unknown, forMs: number): Promise<void> {
  for (const endsAt = performance.now() + forMs; performance.now() < endsAt; await Bun.sleep(EVERY_MS))
    if (!(await condition())) throw new Error(`did not stay true: ${condition}`)
}
