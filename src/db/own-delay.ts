const TICK_MS = 5

/** What one statement has waited for this process; begun when it starts, asked once when it ends. */
export type OwnDelay = () => number

/**
 * For how long this process had no time: it was at other work, or the machine's processors were. What a statement took
 * meanwhile can't be told from that, and is not the client's doing. Ticks only while statements run.
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
