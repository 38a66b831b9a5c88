import { within } from '../waiting'

const MAX_AGE_MS = 500
const WAIT_MS = 50

/** Gathers at most twice a second, however often it is called. */
export function halfASecondOld<T>(gather: () => Promise<T>): () => Promise<T> {
  let gathered: Promise<T> | undefined
  let expiresAt = Number.NEGATIVE_INFINITY
  return () => {
    if (gathered === undefined || performance.now() >= expiresAt) {
      expiresAt = performance.now() + MAX_AGE_MS
      gathered = gather()
    }
    return gathered
  }
}

/**
 * The last result of `load`. A load that fails or is slow leaves it unchanged; while a load is running,
 * nobody waits for it again.
 */
export function atOnce<T>(load: () => Promise<T>, unknown: T): () => Promise<T> {
  let known = unknown
  let waited: Promise<void> | undefined

  async function refresh() {
    try {
      known = await load()
    } catch {
      // The healthcheck and the log report the outage.
    }
  }
  function wait(): Promise<void> {
    const refreshed = refresh().finally(() => {
      waited = undefined
    })
    return within(WAIT_MS, refreshed, () => {})
  }

  // The first load opens a connection, which may take too long to wait for.
  waited = wait()
  return async () => {
    waited ??= wait()
    await waited
    return known
  }
}
