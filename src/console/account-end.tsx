import { useSignal } from '@preact/signals'
import { call, explain } from './api'
import { tell } from './notices'
import { navigate } from './router'
import { end } from './session'

export function SignOutEverywhere() {
  const isAsking = useSignal(false)
  return (
    <section aria-labelledby="everywhere">
      <div class="about">
        <h2 id="everywhere">Signed in elsewhere?</h2>
        <p>This ends every session of yours, this one included. API keys stay.</p>
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
