import { batch, signal } from '@preact/signals'
import { keepDrafts } from './drafts'
import type { Permission, Token, User } from './types'

const KEY = 'redlight.session'
const HANDOVER_MS = 120

/** Times are in ms of this machine's clock, which may differ from the server's. */
export type Session = { token: string; expiry: string; endsAt: number; issuedAt: number }
type Message = {
  ask?: true
  /** The documentation page sends it without times. */
  session?: Token & Partial<Session>
  keep?: boolean
  renewed?: { old: string; session: Session }
  /** The token whose session has ended. */
  end?: string
}

export const session = signal<Session | undefined>(undefined)
export const user = signal<User | undefined>(undefined)
/** Whether the last session ended by itself or in another tab. */
export const hasEnded = signal(false)
export const can = (permission: Permission) => user.value?.permissions.includes(permission) ?? false

const channel = new BroadcastChannel('redlight')
const say = (message: Message) => channel.postMessage(message)

/** Empty if the browser blocks storage. */
function stores(): Storage[] {
  try {
    return [sessionStorage, localStorage]
  } catch {
    return []
  }
}
const [ofTab, ofDevice] = stores()

function readStored(): Session | undefined {
  for (const store of [ofTab, ofDevice]) {
    try {
      const stored: Session | null = JSON.parse(store?.getItem(KEY) ?? 'null')
      if (!stored || typeof stored.token !== 'string') continue
      keeps = store === ofDevice
      return withTimes(stored)
    } catch {
      store?.removeItem(KEY)
    }
  }
  return undefined
}

/** The claims say how long a token lasts; when it ends by this clock depends on when it arrived. */
function withTimes(stored: Token & Partial<Session>): Session | undefined {
  const { token, expiry } = stored
  const issuedAt = stored.issuedAt ?? Date.now()
  const endsAt = stored.endsAt ?? issuedAt + (lifetimeMs(token) ?? Date.parse(expiry) - issuedAt)
  return endsAt > Date.now() ? { token, expiry, endsAt, issuedAt } : undefined
}
function lifetimeMs(token: string): number | undefined {
  try {
    const claims: { exp: number; iat: number } = JSON.parse(
      atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')),
    )
    return (claims.exp - claims.iat) * 1000
  } catch {
    return undefined
  }
}

/** Whether the session survives closing the browser. */
let keeps = false

function store(next: Session, keep: boolean) {
  keeps = keep
  ofTab?.removeItem(KEY)
  ofDevice?.removeItem(KEY)
  const chosen = keep ? ofDevice : ofTab
  chosen?.setItem(KEY, JSON.stringify(next))
  session.value = next
}

export function begin(token: Token, keep: boolean) {
  const next = withTimes(token)
  if (next === undefined) return
  store(next, keep)
  hasEnded.value = false
  say({ session: next, keep })
}

/** Replaces the session's token in all tabs. */
export function renew(old: Session | undefined, token: Token) {
  const next = withTimes(token)
  if (next === undefined || old === undefined || session.value?.token !== old.token) return
  store(next, keeps)
  say({ renewed: { old: old.token, session: next } })
}

/** Ends the session in all tabs. Unless `asked`, the next sign-in leads back to this page. */
export function end({ asked }: { asked: boolean }) {
  const token = session.peek()?.token
  clear(asked)
  if (token !== undefined) say({ end: token })
}

function clear(asked: boolean) {
  if (!asked) keepDrafts()
  // Another tab may have stored a newer one.
  const token = session.peek()?.token
  for (const store of [ofTab, ofDevice])
    if (token !== undefined && store?.getItem(KEY)?.includes(token)) store.removeItem(KEY)
  batch(() => {
    hasEnded.value = !asked && session.value !== undefined
    user.value = undefined
    session.value = undefined
  })
}

// Tabs share their session, so that a movie opened in a new tab opens.
channel.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.ask && session.value) say({ session: session.value, keep: keeps })
  const offered = data.session && withTimes(data.session)
  if (offered && !session.value) {
    store(offered, data.keep ?? false)
    hasEnded.value = false
  }
  if (data.renewed && session.value?.token === data.renewed.old) store(data.renewed.session, keeps)
  if (session.value && data.end === session.value.token) clear(false)
}

/** Resolves when it is known whether this browser is signed in. */
export function findSession(): Promise<void> {
  session.value = readStored()
  if (session.value) return Promise.resolve()
  return new Promise((resolve) => {
    say({ ask: true })
    const stop = session.subscribe((value) => value && resolve())
    setTimeout(() => {
      stop()
      resolve()
    }, HANDOVER_MS)
  })
}
