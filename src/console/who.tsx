import { signal } from '@preact/signals'
import { call, explain, isRefusal } from './api'
import { tell } from './notices'
import { whenReached } from './offline'
import { end, session, user } from './session'
import { Failed, Loading } from './states'
import type { User } from './types'

const AGAIN_MS = 5000

/** Why it isn't known who is signed in. */
const problem = signal<unknown>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined

/** Reads who is signed in; pages that depend on it wait. */
export async function loadUser() {
  const token = session.peek()?.token
  if (token === undefined || user.peek() !== undefined) return
  try {
    const me = await call<{ user: User }>('GET', '/v1/users/me')
    problem.value = undefined
    if (session.peek()?.token === token) user.value = me.user
  } catch (error) {
    if (isRefusal(error, 401)) return
    if (problem.peek() === undefined) tell(explain(error))
    // The documentation page lets accounts sign in that aren't activated.
    if (isRefusal(error, 403)) return end({ asked: true })
    problem.value = error
    clearTimeout(timer)
    if (!isRefusal(error, 0)) {
      timer = setTimeout(loadUser, AGAIN_MS)
      return
    }
    const stop = whenReached(() => {
      stop()
      loadUser()
    })
  }
}

/** Shown by a page until it is known who is signed in. */
export const WaitForUser = ({ title, what }: { title: string; what: string }) =>
  problem.value ? (
    <Failed title={title} error={problem.value} retry={loadUser} />
  ) : (
    <Loading title={title} what={what} />
  )
