import { useSignal } from '@preact/signals'
import { call, explain } from './api'
import { Dialog } from './dialog'
import { Field, Problem } from './field'
import { useForm } from './form'
import { tell } from './notices'
import { navigate } from './router'
import { end } from './session'

export function SignOutEverywhere() {
  const isAsking = useSignal(false)
  return (
    <section aria-labelledby="everywhere">
      <div class="about">
        <h2 id="everywhere">Signed in elsewhere?</h2>
        <p>This ends all your sessions, including this one. API keys keep working.</p>
      </div>
      <div>
        <button
          type="button"
          class="quiet"
          disabled={isAsking.value}
          onClick={async () => {
            isAsking.value = true
            try {
              await call('DELETE', '/v1/tokens/authentication')
              end({ asked: true })
              navigate('/sign-in')
              tell('You are signed out everywhere.')
            } catch (error) {
              tell(explain(error))
            }
            isAsking.value = false
          }}
        >
          Sign out everywhere
        </button>
      </div>
    </section>
  )
}

export function DeleteAccount() {
  const isAsking = useSignal(false)
  return (
    <section aria-labelledby="delete">
      <div class="about">
        <h2 id="delete">Delete your account</h2>
        <p>Your movies stay in the catalogue, without your name.</p>
      </div>
      <div>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isAsking.value = true
          }}
        >
          Delete account
        </button>
      </div>
      {isAsking.value && (
        <DeleteDialog
          onClose={() => {
            isAsking.value = false
          }}
        />
      )}
    </section>
  )
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const { form, problems, problem, isBusy } = useForm(async ({ current_password }) => {
    await call('DELETE', '/v1/users/me', { body: { current_password } })
    end({ asked: true })
    navigate('/sign-in')
    tell('Your account is deleted.')
  })
  return (
    <Dialog title="Delete your account?" onClose={onClose} isBusy={isBusy}>
      <p>This also deletes your favourites and API keys. It can’t be undone.</p>
      <form {...form}>
        <Problem>{problem}</Problem>
        <Field
          name="current_password"
          label="Password"
          type="password"
          autocomplete="current-password"
          problem={problems.current_password}
        />
        <div class="actions">
          <button type="submit" class="danger">
            Delete my account
          </button>
          <button type="button" class="quiet" disabled={isBusy} onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}
