import { DeleteAccount, SignOutEverywhere } from './account-end'
import { call } from './api'
import { Field, PASSWORD_HINT, Problem } from './field'
import { useForm } from './form'
import { Heading } from './heading'
import { Keys } from './keys'
import { tell } from './notices'
import { renew, session, user } from './session'
import type { Token, User } from './types'
import { WaitForUser } from './who'

export function Account() {
  const me = user.value
  if (me === undefined) return <WaitForUser title="Your account" what="your account" />
  return (
    <div class="settings">
      <Heading title="Your account" />
      <p>
        Signed in as <strong>{me.email}</strong>
      </p>
      <Profile me={me} />
      <Email me={me} />
      <Password />
      <Keys />
      <SignOutEverywhere />
      <DeleteAccount />
    </div>
  )
}

const patch = async (body: Record<string, unknown>) => {
  const answer = await call<{ user: User; authentication_token?: Token }>('PATCH', '/v1/users/me', { body })
  // The answer has no permissions; they stay as they were.
  const { username: _, pending_email: __, ...before } = user.peek() ?? answer.user
  user.value = { ...before, ...answer.user }
  return answer
}

function Profile({ me }: { me: User }) {
  const { form, problems, problem } = useForm(async ({ name, username = '' }) => {
    await patch({ name: name?.trim(), username: username.trim() || null })
    tell('Your profile is saved.')
  })
  return (
    <section aria-labelledby="profile">
      <div class="about">
        <h2 id="profile">Profile</h2>
        <p>Your name is shown with the movies you add.</p>
      </div>
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field
          name="name"
          label="Name"
          autocomplete="name"
          dir="auto"
          defaultValue={me.name}
          problem={problems.name}
        />
        <Field
          name="username"
          label="Username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          defaultValue={me.username}
          problem={problems.username}
        />
        <button type="submit">Save profile</button>
      </form>
    </section>
  )
}

const CurrentPassword = ({ problem }: { problem: string | undefined }) => (
  <Field
    name="current_password"
    label="Current password"
    type="password"
    autocomplete="current-password"
    problem={problem}
  />
)

function Email({ me }: { me: User }) {
  const { form, problems, problem } = useForm(async ({ email = '', current_password }, form) => {
    await patch({ email: email.trim(), current_password })
    form.reset()
  })
  return (
    <section aria-labelledby="email">
      <div class="about">
        <h2 id="email">Email</h2>
        <p>A new address takes effect once you open the link we send to it.</p>
        <p role="status">
          {me.pending_email !== undefined && (
            <>
              Check your mail at <strong>{me.pending_email}</strong>
            </>
          )}
        </p>
      </div>
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field name="email" label="New email" type="email" autocomplete="email" problem={problems.email} />
        <CurrentPassword problem={problems.current_password} />
        <button type="submit">Change email</button>
      </form>
    </section>
  )
}

function Password() {
  const { form, problems, problem } = useForm(async ({ current_password, password }, form) => {
    const { authentication_token } = await patch({ current_password, password })
    if (authentication_token) renew(session.peek(), authentication_token)
    form.reset()
    tell('Your password is changed. You are signed out everywhere else.')
  })
  return (
    <section aria-labelledby="password">
      <div class="about">
        <h2 id="password">Password</h2>
        <p>Changing it signs you out everywhere else. API keys keep working.</p>
      </div>
      <form {...form}>
        <Problem>{problem}</Problem>
        {/* For password managers. */}
        <input type="text" name="login" autocomplete="username" value={user.value?.email} hidden readOnly />
        <CurrentPassword problem={problems.current_password} />
        <Field
          name="password"
          label="New password"
          type="password"
          autocomplete="new-password"
          hint={PASSWORD_HINT}
          problem={problems.password}
        />
        <button type="submit">Change password</button>
      </form>
    </section>
  )
}
