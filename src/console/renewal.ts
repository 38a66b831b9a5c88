import { effect } from '@preact/signals'
import { call, isRefusal } from './api'
import { tell } from './notices'
import { end, renew, type Session, session } from './session'
import { clockOf } from './times'
import type { Token } from './types'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** How long a tab counts as used after a key or a click. */
const USED_MS = 10 * MINUTE_MS

let usedAt = Date.now()
let timer: ReturnType<typeof setTimeout> | undefined
let warnedOf = ''
let isFinal = ''

const lifetime = ({ endsAt, issuedAt }: Session) => endsAt - issuedAt
/** An hour before the end; a token that lasts less than two hours is renewed halfway. */
const renewsAt = (one: Session) => one.endsAt - Math.min(HOUR_MS, lifetime(one) / 2)
const warnsAt = (one: Session) => one.endsAt - Math.min(10 * MINUTE_MS, lifetime(one) / 4)

async function check() {
  clearTimeout(timer)
  const one = session.value
  if (one === undefined) return
  const now = Date.now()
  if (now >= one.endsAt) return end({ asked: false })
  if (now >= renewsAt(one) && now - usedAt < USED_MS && isFinal !== one.token) await askForRenewal(one)
  else if (now >= warnsAt(one) && warnedOf !== one.token) warn(one)
  const current = session.value
  if (current === undefined) return
  const next = [renewsAt(current), warnsAt(current), current.endsAt].find((at) => at > Date.now())
  timer = setTimeout(check, Math.min((next ?? current.endsAt) - Date.now() + 10, MINUTE_MS))
}

async function askForRenewal(one: Session) {
  try {
    const { authentication_token } = await call<{ authentication_token: Token }>(
      'POST',
      '/v1/tokens/renewal',
      { token: one.token },
    )
    renew(one, authentication_token)
    // Near the end of SESSION_TTL, the new token ends no later than the old one.
    const renewed = session.value
    if (renewed && renewed.endsAt <= one.endsAt + 1000) isFinal = renewed.token
  } catch (error) {
    // Other failures are temporary.
    if (isRefusal(error, 401, 403, 404)) isFinal = one.token
  }
}

function warn(one: Session) {
  warnedOf = one.token
  tell(`You’ll be signed out at ${clockOf(one.endsAt)}.`)
}

/** Renews the session while the tab is used, and warns before it ends. */
export function startRenewal() {
  const used = () => {
    const wasUnused = Date.now() - usedAt > MINUTE_MS
    usedAt = Date.now()
    if (wasUnused) check()
  }
  for (const event of ['pointerdown', 'keydown']) addEventListener(event, used, { passive: true })
  document.addEventListener('visibilitychange', () => document.hidden || check())
  effect(() => {
    if (session.value) queueMicrotask(check)
  })
}
