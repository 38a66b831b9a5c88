import { useSignal } from '@preact/signals'
import { call, explain, isRefusal } from '../api'
import { Confirm } from '../dialog'
import { Field } from '../field'
import { Heading } from '../heading'
import { tell } from '../notices'
import { useResource } from '../resource'
import { navigate, to } from '../router'
import { user } from '../session'
import { Failed, Loading, NotFound } from '../states'
import { dayOf } from '../times'
import type { Permission } from '../types'
import type { Person } from './users'

const PERMISSIONS: Record<Permission, string> = {
  'movies:read': 'sees movies and keeps favourites',
  'movies:write': 'adds movies, and changes their own',
  admin: 'manages users and movies, and reads the audit trail',
}
const isPermission = (name: string): name is Permission => name in PERMISSIONS

export function OneUser({ id }: { id: string }) {
  const { data, error, reload } = useResource<{ user: Person }>(`/v1/users/${id}`)
  if (isRefusal(error.value, 404)) return <NotFound what="User" />
  if (error.value && data.value === undefined) return <Failed error={error.value} retry={reload} />
  if (data.value === undefined) return <Loading what="the user" />
  const save = async (changes: object, said: string) => {
    try {
      data.value = await call<{ user: Person }>('PATCH', `/v1/users/${id}`, { body: changes })
      tell(said)
    } catch (problem) {
      tell(reasonOf(problem))
      reload()
    }
  }
  return <Shown one={data.value.user} save={save} />
}

/** The API says why, of a single field that this page sets. */
function reasonOf(error: unknown): string {
  if (!isRefusal(error, 422) || typeof error.problem === 'string') return explain(error)
  return Object.entries(error.problem)
    .map(([name, text]) => `${name} ${text}.`)
    .join(' ')
}

type Save = (changes: object, said: string) => Promise<void>

function Shown({ one, save }: { one: Person; save: Save }) {
  const isAsking = useSignal(false)
  const isSelf = one.id === user.value?.id
  return (
    <div class="narrow">
      <Heading title={one.name}>
        <bdi>{one.name}</bdi>
      </Heading>
      <dl>
        <dt>Email</dt>
        <dd>{one.email}</dd>
        {one.username !== undefined && (
          <>
            <dt>Username</dt>
            <dd>{one.username}</dd>
          </>
        )}
        <dt>State</dt>
        <dd>{one.activated ? 'active' : 'not activated'}</dd>
        <dt>Registered</dt>
        <dd>{dayOf(one.created_at)}</dd>
        <dt>Movies</dt>
        <dd>{one.movies.toLocaleString('en')}</dd>
      </dl>
      {!one.activated && (
        <button type="button" onClick={() => save({ activated: true }, `${one.email} is active.`)}>
          Activate
        </button>
      )}
      <Permissions one={one} isSelf={isSelf} save={save} />
      <p>
        <a href={to(`/admin/audit?who=${one.id}`)}>What they did, in the audit trail</a>
      </p>
      {!isSelf && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isAsking.value = true
          }}
        >
          Remove user
        </button>
      )}
      {isAsking.value && (
        <RemoveUser
          one={one}
          onClose={() => {
            isAsking.value = false
          }}
        />
      )}
    </div>
  )
}

function Permissions({ one, isSelf, save }: { one: Person; isSelf: boolean; save: Save }) {
  const toggle = (name: Permission, isGiven: boolean) =>
    save(
      { permissions: isGiven ? [...one.permissions, name] : one.permissions.filter((has) => has !== name) },
      isGiven ? `${one.email} has ${name} now.` : `${one.email} doesn’t have ${name} any more.`,
    )
  return (
    <fieldset>
      <legend>Permissions</legend>
      {Object.keys(PERMISSIONS)
        .filter(isPermission)
        .map((name) => (
          <label key={name} class="choice">
            <input
              type="checkbox"
              checked={one.permissions.includes(name)}
              disabled={isSelf && name === 'admin'}
              onChange={({ currentTarget }) => toggle(name, currentTarget.checked)}
            />
            <span>{name}</span>{' '}
            <span class="soft" aria-hidden="true">
              {PERMISSIONS[name]}
            </span>
          </label>
        ))}
    </fieldset>
  )
}

function RemoveUser({ one, onClose }: { one: Person; onClose: () => void }) {
  const typed = useSignal('')
  async function remove() {
    await call('DELETE', `/v1/users/${one.id}`)
    tell(`${one.email} is removed.`)
    navigate('/admin/users')
  }
  return (
    <Confirm
      title={`Remove ${one.name}?`}
      label="Remove user"
      act={remove}
      onClose={onClose}
      isDisabled={typed.value.trim() !== one.email}
    >
      <p>
        Their movies stay, without their name. Type <strong>{one.email}</strong> to go on.
      </p>
      <Field
        name="email"
        label="Email of the user"
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => {
          typed.value = currentTarget.value
        }}
      />
    </Confirm>
  )
}
