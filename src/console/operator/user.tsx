import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { call, explain, isRefusal } from '../api'
import { Confirm } from '../dialog'
import { Field } from '../field'
import { Heading } from '../heading'
import { tell } from '../notices'
import { useResource } from '../resource'
import { navigate, to } from '../router'
import { user } from '../session'
import { Failed, Loading, NotFound } from '../states'
import { isolated } from '../text'
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
  const saving = useRef(Promise.resolve())
  if (isRefusal(error.value, 404)) return <NotFound what="User" />
  const one = data.value?.user
  if (error.value && one === undefined) return <Failed title="User" error={error.value} retry={reload} />
  if (one === undefined) return <Loading title="User" what="the user" />
  /** Saves one change after the other, each based on the ones before it. */
  const save = (change: (one: Person) => Partial<Person>, said: string) => {
    const before = data.peek()?.user ?? one
    const changes = change(before)
    data.value = { user: { ...before, ...changes } }
    saving.current = saving.current.then(async () => {
      try {
        await call('PATCH', `/v1/users/${id}`, { body: changes })
        if (user.value?.id === one.id) user.value = { ...user.value, ...changes }
        tell(said)
      } catch (problem) {
        tell(reasonOf(problem))
        reload()
      }
    })
  }
  return <Shown one={one} save={save} />
}

/** Includes the API's reason: this page has no fields to show it at. */
function reasonOf(error: unknown): string {
  if (!isRefusal(error, 422) || typeof error.problem === 'string') return explain(error)
  return Object.entries(error.problem)
    .map(([name, text]) => `${name} ${text}.`)
    .join(' ')
}

type Save = (change: (one: Person) => Partial<Person>, said: string) => void

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
        <button type="button" onClick={() => save(() => ({ activated: true }), `${one.email} is active.`)}>
          Activate
        </button>
      )}
      <Permissions one={one} isSelf={isSelf} save={save} />
      <p class="links">
        <a href={to(`/admin/audit?who=${one.id}`)}>Their actions in the audit trail</a>
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
      ({ permissions }) => ({
        permissions: isGiven ? [...permissions, name] : permissions.filter((has) => has !== name),
      }),
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
  }
  return (
    <Confirm
      title={`Remove ${isolated(one.name)}?`}
      label="Remove user"
      act={remove}
      done={() => navigate('/admin/users')}
      onClose={onClose}
      isDisabled={typed.value.trim() !== one.email}
    >
      <p>
        Their movies stay, without their name. Type <strong>{one.email}</strong> to confirm.
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
