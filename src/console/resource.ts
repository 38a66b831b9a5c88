import { signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { call, changed, isRefusal } from './api'
import { whenReached } from './offline'

const MOST = 30
/** The last answers as JSON, so that Back shows at once what was there. */
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
 * What the API answers for a path. While the next answer is on its way, the last one stays; an older answer
 * never covers a newer one.
 */
export function useResource<T>(path: string | undefined) {
  const state = useMemo(
    () => ({
      data: signal(path === undefined ? undefined : known<T>(path)),
      error: signal<unknown>(undefined),
      isLoading: signal(false),
      asked: signal(0),
    }),
    [],
  )
  const reload = () => {
    state.asked.value++
  }
  useEffect(() => {
    if (path === undefined) return
    const controller = new AbortController()
    const kept = known<T>(path)
    if (kept !== undefined) state.data.value = kept
    state.isLoading.value = true
    call<T>('GET', path, { signal: controller.signal }).then(
      (data) => {
        keep(path, data)
        state.data.value = data
        state.error.value = undefined
        state.isLoading.value = false
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
  return { data: state.data, error: state.error, isLoading: state.isLoading, reload }
}
