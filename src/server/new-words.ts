import { describeError, type Log } from '../log'
import { after } from '../waiting'

const EVERY_MS = 10_000

/** Sorts the words of new movies from time to time, other processes' too; returns a function that stops it. */
export function startSorting(sort: () => Promise<unknown>, log: Log, everyMs = EVERY_MS): () => void {
  let isStopped = false
  let callOff = () => {}
  function sortLater() {
    callOff = after(everyMs, async () => {
      try {
        await sort()
      } catch (error) {
        log.debug('the words of new movies could not be sorted yet', describeError(error))
      }
      if (!isStopped) sortLater()
    })
  }
  sortLater()
  return () => {
    isStopped = true
    callOff()
  }
}
