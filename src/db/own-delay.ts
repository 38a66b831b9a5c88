const TICK_MS = 5

/** How long one statement has waited for this process; created when it starts, called once when it ends. */
export type OwnDelay = () => number

/**
 * Measures how long this process was busy, or had no processor. A statement seems to take longer meanwhile, which
 * isn't the client's doing. Ticks only while statements run.
 */
export function createOwnDelay(): () => OwnDelay {
  let delayMs = 0
  let tickedAt = 0
  let running = 0
  let timer: Timer | undefined

  const late = (now: number) => Math.max(0, now - tickedAt - TICK_MS)
  function tick() {
    if (running === 0) {
      clearInterval(timer)
      timer = undefined
    }
    const now = performance.now()
    delayMs += late(now)
    tickedAt = now
  }

  return () => {
    running++
    if (timer === undefined) {
      tickedAt = performance.now()
      timer = setInterval(tick, TICK_MS)
    }
    const before = delayMs + late(performance.now())
    return () => {
      running--
      return delayMs + late(performance.now()) - before
    }
  }
}
