import { AsyncLocalStorage } from 'node:async_hooks'

// Guards and routes read; only what surrounds both can say how old the oldest of it was.
const notes = new AsyncLocalStorage<{ seconds: number }>()

/** Notes that the request at work is answered from what may be so many seconds old. */
export function noteStale(seconds: number) {
  const note = notes.getStore()
  if (note !== undefined) note.seconds = Math.max(note.seconds, Math.ceil(seconds))
}

/** The result of some work, and how old what it read may be; undefined when it is current. */
export async function withStaleness<T>(work: () => T | Promise<T>): Promise<[T, number | undefined]> {
  const note = { seconds: 0 }
  const result = await notes.run(note, work)
  return [result, note.seconds === 0 ? undefined : note.seconds]
}
