import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from './api'
import { Field, PASSWORD_HINT, Problem } from './field'
import { useForm } from './form'
import type { Text } from './form-text'
import { Heading } from './heading'
import { to } from './router'
import { end, session } from './session'
import { SendAgain } from './sign-in'
import { site } from './site'

/** The part after # is never sent to a server. It is removed from the address bar and the history too. */
function useMailToken() {
  const take = () => new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
  const [visit, setVisit] = useState(() => ({ token: take(), number: 0 }))
  const hide = () => history.replaceState(history.state, '', location.pathname + location.search)
  useEffect(() => {
    if (location.hash !== '') hide()
    // Another link opened in this tab.
    const onHash = () => {
      if (location.hash === '') return
      setVisit(({ number }) => ({ token: take(), number: number + 1 }))
      hide()
    }
    addEventListener('hashchange', onHash)
    return () => removeEventListener('hashchange', onHash)
  }, [])
  return visit
}

type Props = {
  title: string
  lead: string
  button: string
  done: string
  /** Sends the token and the rest of the form. */
  act: (token: string, text: Text) => Promise<void>
  /** The API's path that sends another mail. */
  again?: string
  fields?: (problems: Record<string, string>) => ComponentChildren
}

/** A page that a mail links to. It acts when the button is pressed, not when opened: mail scanners open links. */
function MailPage(props: Props) {
  const { token, number } = useMailToken()
  // Another link starts afresh.
  return <TokenForm key={number} {...props} token={token} />
}

function TokenForm({ title, lead, button, done, act, again, fields, token }: Props & { token: string }) {
  const isDone = useSignal(false)
  const { form, problems, problem } = useForm(async (text) => {
    await act(token || (text.token?.trim() ?? ''), text)
    isDone.value = true
  })
  const isSpent = problems.token !== undefined
  const state = isDone.value ? 'done' : token !== '' && isSpent ? 'spent' : 'asked'
  return (
    <div class="door">
      <Heading title={title} />
      {state === 'done' ? (
        <>
          <p role="status">{done}</p>
          <SignInLink />
        </>
      ) : state === 'spent' ? (
        <SpentLink again={again} />
      ) : (
        <>
          <p>{token === '' ? 'Open the link in the mail, or paste the token from it here.' : lead}</p>
          <form {...form}>
            <Problem>{problem}</Problem>
            {token === '' && (
              <Field
                name="token"
                label="Token from the mail"
                autocomplete="off"
                autocapitalize="characters"
                spellcheck={false}
                problem={isSpent && 'This token is wrong, used or expired.'}
              />
            )}
            {fields?.(problems)}
            <button type="submit">{button}</button>
          </form>
          {again !== undefined && token === '' && <NewMail path={again} />}
        </>
      )}
    </div>
  )
}

const SpentLink = ({ again }: { again: string | undefined }) => (
  <>
    <Problem>This link no longer works: it has been used already, or it has expired.</Problem>
    {again !== undefined && <NewMail path={again} />}
    {again === undefined && site.hasCatalogue && (
      <p class="links">
        <a href={to('/account')}>Your account</a>
      </p>
    )}
  </>
)

function SignInLink() {
  const home = to(site.hasCatalogue ? '/sign-in' : '/docs')
  return (
    <a class="button main" href={site.home || home}>
      Sign in
    </a>
  )
}

function NewMail({ path }: { path: string }) {
  const sentTo = useSignal('')
  const { form, problems, problem } = useForm(async ({ email = '' }) => {
    await call('POST', path, { body: { email: email.trim() }, token: null })
    sentTo.value = email.trim()
  })
  return (
    <section class="again" aria-labelledby="again">
      <h2 id="again">Need a new mail?</h2>
      {sentTo.value === '' ? (
        <form {...form}>
          <Problem>{problem}</Problem>
          <Field name="email" label="Email" type="email" autocomplete="email" problem={problems.email} />
          <button type="submit" class="quiet">
            Send me a new mail
          </button>
        </form>
      ) : (
        <>
          <p role="status">
            A mail with a new link is on its way to <strong>{sentTo.value}</strong>.
          </p>
          <SendAgain email={sentTo.value} path={path} />
        </>
      )}
    </section>
  )
}

export const Activate = () => (
  <MailPage
    title="Activate your account"
    lead="Press the button to activate your account."
    button="Activate my account"
    done="Your account is active."
    again="/v1/tokens/activation"
    act={async (token) => {
      await call('PUT', '/v1/users/activated', { body: { token }, token: null })
    }}
  />
)

export const ResetPassword = () => (
  <MailPage
    title="Choose a new password"
    lead="It replaces the old one and signs you out everywhere."
    button="Set the new password"
    done="Your password is changed. Sign in with the new one."
    again="/v1/tokens/password-reset"
    act={async (token, { password }) => {
      await call('PUT', '/v1/users/password', { body: { token, password }, token: null })
      if (session.peek()) end({ asked: true })
    }}
    fields={({ password }) => (
      <Field
        name="password"
        label="New password"
        type="password"
        autocomplete="new-password"
        hint={PASSWORD_HINT}
        problem={password}
      />
    )}
  />
)

export const ConfirmEmail = () => (
  <MailPage
    title="Confirm your new email"
    lead="Press the button to sign in with it from now on."
    button="Use this email"
    done="Your email is changed. Sign in with it."
    act={async (token) => {
      await call('PUT', '/v1/users/email', { body: { token }, token: null })
      if (session.peek()) end({ asked: true })
    }}
  />
)
