import { SignOutEverywhere } from './account-end'
import { Heading } from './heading'
import { Keys } from './keys'
import { user } from './session'
import { Loading } from './states'

export function Account() {
  const me = user.value
  if (me === undefined) return <Loading what="your account" />
  return (
    <div class="settings">
      <Heading title="Your account" />
      <p>
        Signed in as <strong>{me.email}</strong>
      </p>
      <Keys />
      <SignOutEverywhere />
    </div>
  )
}
