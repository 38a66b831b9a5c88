import { effect } from '@preact/signals'
import { render } from 'preact'
import { startRenewal } from './renewal'
import { forgetAnswers } from './resource'
import { guard, navigate, pathname, startRouter, url } from './router'
import { hasPage } from './routes'
import { findSession, hasEnded, session } from './session'
import { App } from './shell'
import { loadUser } from './who'

const root = document.querySelector('#console')
if (root !== null) {
  startRouter(hasPage)
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
