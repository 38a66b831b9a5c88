import { AsyncLocalStorage } from 'node:async_hooks'

// A request may wait several times: for its user, for the film, for a password. Their sum has to end in time, so the
// moment travels with the request instead of each wait having a limit of its own.
const deadlines = new AsyncLocalStorage<{ at: number }>()

/** Runs the work of a request, all of whose waits together are to end within so many milliseconds. */
export const withDeadline = <T>(milliseconds: number, work: () => T): T =>
  deadlines.run({ at: performance.now() + milliseconds }, work)

/** How long a wait may take: `limitMs`, or what is left to the request. */
export function patienceMs(limitMs: number): number {
  const deadline = deadlines.getStore()
  return deadline === undefined ? limitMs : Math.max(0, Math.min(limitMs, deadline.at - performance.now()))
}

/** A wait that is up to the client, such as for the rest of its request, takes nothing from what is left. */
export async function offTheClock<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    return await work()
  } finally {
    const deadline = deadlines.getStore()
    if (deadline !== undefined) deadline.at += performance.now() - startedAt
  }
}
