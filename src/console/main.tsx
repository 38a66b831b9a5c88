import { effect } from '@preact/signals'
import { render } from 'preact'
import { call, explain, isRefusal } from './api'
import { tell } from './notices'
import { whenReached } from './offline'
import { startRenewal } from './renewal'
import { forgetAnswers } from './resource'
import { guard, navigate, pathname, startRouter, url } from './router'
import { end, findSession, hasEnded, session, user } from './session'
import { App } from './shell'
import type { User } from './types'

const AGAIN_MS = 5000

/** Reads who is signed in; pages that depend on it wait. */
async function loadUser() {
  const token = session.peek()?.token
  if (token === undefined || user.peek() !== undefined) return
  try {
    const me = await call<{ user: User }>('GET', '/v1/users/me')
    if (session.peek()?.token === token) user.value = me.user
  } catch (error) {
    if (isRefusal(error, 401)) return
    tell(explain(error))
    // The documentation page lets accounts sign in that aren't activated.
    if (isRefusal(error, 403)) return end({ asked: true })
    if (!isRefusal(error, 0)) return void setTimeout(loadUser, AGAIN_MS)
    const stop = whenReached(() => {
      stop()
      loadUser()
    })
  }
}

const root = document.querySelector('#console')
if (root !== null) {
  startRouter()
  await findSession()
  startRenewal()
  effect(() => {
    if (session.value) loadUser()
    else forgetAnswers()
  })
  effect(() => {
    if (!hasEnded.value) return
    const here = pathname()
    const isEntrance = /^\/(sign-in|register|activate|forgot-password|reset-password|confirm-email)$/.test(
      here,
    )
    if (isEntrance) return
    // keepDrafts has saved what was typed.
    guard.isDirty = undefined
    navigate(`/sign-in?next=${encodeURIComponent(here + url.peek().search)}`, { replace: true })
  })
  root.replaceChildren()
  render(<App />, root)
}
