import { useSignal } from '@preact/signals'
import { call } from './api'
import { Field, PASSWORD_HINT, Problem } from './field'
import { useForm } from './form'
import { Heading } from './heading'
import { to } from './router'
import { SendAgain } from './sign-in'

export function Register() {
  const sentTo = useSignal('')
  const { form, problems, problem } = useForm(async ({ name, email = '', username, password }) => {
    const body = {
      name: name?.trim(),
      email: email.trim(),
      ...(username?.trim() && { username: username.trim() }),
      password,
    }
    await call('POST', '/v1/users', { body, token: null })
    sentTo.value = email.trim()
  })
  if (sentTo.value !== '')
    return (
      <Sent email={sentTo.value} again="/v1/tokens/activation">
        open it to activate your account. It works for 3 days.
      </Sent>
    )
  return (
    <div class="door">
      <Heading title="Create an account" />
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field name="name" label="Name" autocomplete="name" problem={problems.name} dir="auto" />
        <Field name="email" label="Email" type="email" autocomplete="email" problem={problems.email} />
        <Field
          name="username"
          label="Username (optional)"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          problem={problems.username}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          autocomplete="new-password"
          hint={PASSWORD_HINT}
          problem={problems.password}
        />
        <button type="submit">Create account</button>
      </form>
      <p class="links">
        <a href={to('/sign-in')}>I have an account</a>
      </p>
    </div>
  )
}

function Sent({ email, again, children }: { email: string; again: string; children: string }) {
  return (
    <div class="door">
      <Heading title="Check your mail" />
      <p>
        We’ve sent a link to <strong>{email}</strong>: {children}
      </p>
      <SendAgain email={email} path={again} />
    </div>
  )
}

export function ForgotPassword() {
  const sentTo = useSignal('')
  const { form, problems, problem } = useForm(async ({ email = '' }) => {
    await call('POST', '/v1/tokens/password-reset', { body: { email: email.trim() }, token: null })
    sentTo.value = email.trim()
  })
  if (sentTo.value !== '')
    return (
      <Sent email={sentTo.value} again="/v1/tokens/password-reset">
        open it to choose a new password. It works for 45 minutes.
      </Sent>
    )
  return (
    <div class="door">
      <Heading title="Forgot your password?" />
      <p>We’ll send you a link to choose a new one.</p>
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field name="email" label="Email" type="email" autocomplete="email" problem={problems.email} />
        <button type="submit">Send the link</button>
      </form>
      <p class="links">
        <a href={to('/sign-in')}>Sign in</a>
        {problems.email?.includes('activated') && <a href={to('/activate')}>Activate your account</a>}
      </p>
    </div>
  )
}
