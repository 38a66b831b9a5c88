import { signal } from '@preact/signals'
import { base } from './router'

const EVERY_MS = 3000

/** Whether the last request got no answer. */
export const isOffline = signal(false)
/** Requests to repeat; if there are none, the healthcheck shows when Redlight is back. */
const waiting = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

export function failed() {
  isOffline.value = true
  timer ??= setInterval(tryAgain, EVERY_MS)
}
export function reached() {
  isOffline.value = false
}

/** Repeats a request every 3 s until Redlight is reached; returns a function that stops this. */
export function whenReached(ask: () => void): () => void {
  waiting.add(ask)
  return () => waiting.delete(ask)
}

function tryAgain() {
  // An answer to something else, asked for before, says nothing about them.
  if (waiting.size > 0) for (const ask of waiting) ask()
  else if (isOffline.value) fetch(`${base}/v1/healthcheck`).then(reached, () => {})
  else {
    clearInterval(timer)
    timer = undefined
  }
}

addEventListener('online', () => isOffline.value && tryAgain())
