import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call, explain, isRefusal, Refusal, sentence } from './api'
import { Field, Problem } from './field'
import { useForm } from './form'
import type { Text } from './form-text'
import { Heading } from './heading'
import { navigate, to, url } from './router'
import { begin, hasEnded, session, user } from './session'
import type { Token, User } from './types'

/** Anybody can make a link to this page: it leads to a page of ours, or to the first one. */
function nextOf(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return '/'
  if (!URL.canParse(next, location.origin)) return '/'
  const { origin, pathname } = new URL(next, location.origin)
  return origin === location.origin && pathname !== '/sign-in' ? next : '/'
}

const WRONG = 'wrong email, username or password'

async function signIn({ name = '', password, keep }: Text) {
  const login = name.trim()
  const who = login.includes('@') ? { email: login } : { username: login }
  const { authentication_token } = await call<{ authentication_token: Token }>(
    'POST',
    '/v1/tokens/authentication',
    {
      body: { ...who, password },
      token: null,
    },
  ).catch((error) => {
    throw isRefusal(error, 401, 422) ? new Refusal(400, WRONG) : error
  })
  // Fails for accounts that aren't activated: they get no session.
  const me = await call<{ user: User }>('GET', '/v1/users/me', { token: authentication_token.token })
  user.value = me.user
  begin(authentication_token, keep === 'on')
}

export function SignIn() {
  const inactive = useSignal('')
  const { form, problem } = useForm(async (text) => {
    inactive.value = ''
    try {
      await signIn(text)
    } catch (error) {
      if (isRefusal(error, 403)) inactive.value = text.name?.trim() ?? ''
      throw error
    }
  })
  const isSignedIn = session.value !== undefined
  useEffect(() => {
    if (isSignedIn) navigate(nextOf(url.peek().searchParams.get('next')), { replace: true })
  }, [isSignedIn])
  return (
    <div class="door">
      <Heading title="Sign in" />
      {hasEnded.value && <p role="status">Your session has ended. Sign in again to go on where you were.</p>}
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field
          name="name"
          label="Email or username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
        />
        <Field name="password" label="Password" type="password" autocomplete="current-password" />
        <label class="choice">
          <input type="checkbox" name="keep" /> Stay signed in on this device
        </label>
        <button type="submit">Sign in</button>
      </form>
      {inactive.value !== '' && <NewActivation name={inactive.value} />}
      <p class="links">
        <a href={to('/register')}>Create an account</a>
        <a href={to('/forgot-password')}>Forgot your password?</a>
      </p>
    </div>
  )
}

function NewActivation({ name }: { name: string }) {
  if (name.includes('@')) return <SendAgain email={name} path="/v1/tokens/activation" />
  return (
    <p class="links">
      <a href={to('/activate')}>Ask for another mail</a>
    </p>
  )
}

/** Requests the mail again, and says whether it was sent. */
export function SendAgain({ email, path }: { email: string; path: string }) {
  const said = useSignal('')
  const isBusy = useSignal(false)
  async function send() {
    if (isBusy.value) return
    isBusy.value = true
    try {
      await call('POST', path, { body: { email }, token: null })
      said.value = 'Sent again.'
    } catch (error) {
      const { email: problem } = isRefusal(error) && typeof error.problem === 'object' ? error.problem : {}
      said.value = problem ? sentence(problem) : explain(error)
    }
    isBusy.value = false
  }
  return (
    <>
      <button type="button" class="quiet" onClick={send}>
        Send it again
      </button>
      <p role="status">{said.value}</p>
    </>
  )
}
