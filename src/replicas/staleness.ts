import { AsyncLocalStorage } from 'node:async_hooks'

// Guards and routes both read; only their common caller can report the oldest data used.
const notes = new AsyncLocalStorage<{ seconds: number }>()

/** Records that the current request used data up to this old. */
export function noteStale(seconds: number) {
  const note = notes.getStore()
  if (note !== undefined) note.seconds = Math.max(note.seconds, Math.ceil(seconds))
}

/** Result of some work, and the maximum age of the data it read; undefined when current. */
export async function withStaleness<T>(work: () => T | Promise<T>): Promise<[T, number | undefined]> {
  const note = { seconds: 0 }
  const result = await notes.run(note, work)
  return [result, note.seconds === 0 ? undefined : note.seconds]
}
