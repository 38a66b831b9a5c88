import { batch, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { call, changed, isRefusal } from './api'
import { whenReached } from './offline'

const MOST = 30
/** The last answers as JSON, so that Back shows them at once. */
const answers = new Map<string, string>()
export const forgetAnswers = () => answers.clear()
changed.push(forgetAnswers)

function keep(path: string, answer: unknown) {
  answers.delete(path)
  answers.set(path, JSON.stringify(answer))
  for (const oldest of answers.keys()) if (answers.size > MOST) answers.delete(oldest)
}
function known<T>(path: string): T | undefined {
  const answer = answers.get(path)
  return answer === undefined ? undefined : JSON.parse(answer)
}

/**
 * The API's answer for a path. The last answer stays until the next one arrives; an older answer never replaces
 * a newer one. With `isFresh`, it doesn't start with an earlier answer.
 */
export function useResource<T>(path: string | undefined, { isFresh = false } = {}) {
  const state = useMemo(() => {
    const data = path === undefined || isFresh ? undefined : known<T>(path)
    return {
      data: signal(data),
      /** The path that the data answers. */
      answered: signal(data === undefined ? undefined : path),
      /** When it was asked for; 0 if it is an earlier answer. */
      askedAt: signal(0),
      error: signal<unknown>(undefined),
      isLoading: signal(false),
      asked: signal(0),
    }
  }, [])
  const show = (data: T, askedAt = 0) =>
    batch(() => {
      state.data.value = data
      state.answered.value = path
      state.askedAt.value = askedAt
    })
  const reload = () => {
    state.asked.value++
  }
  useEffect(() => {
    if (path === undefined) return
    const controller = new AbortController()
    const kept = isFresh ? undefined : known<T>(path)
    if (kept !== undefined) show(kept)
    state.isLoading.value = true
    const askedAt = performance.now()
    call<T>('GET', path, { signal: controller.signal }).then(
      (data) => {
        keep(path, data)
        batch(() => {
          show(data, askedAt)
          state.error.value = undefined
          state.isLoading.value = false
        })
      },
      (error) => {
        if (controller.signal.aborted) return
        state.error.value = error
        state.isLoading.value = false
      },
    )
    return () => controller.abort()
  }, [path, state.asked.value])
  const isWaiting = isRefusal(state.error.value, 0)
  useEffect(() => (isWaiting ? whenReached(reload) : undefined), [isWaiting])
  const { data, answered, askedAt, error, isLoading } = state
  return { data, answered, askedAt, error, isLoading, reload }
}
