import type { ComponentChildren } from 'preact'
import { Heading } from '../heading'
import { Listed } from '../listed'
import { useResource } from '../resource'
import { navigate, to, url, withQuery } from '../router'
import { Empty } from '../states'
import { timeOf } from '../times'
import type { Metadata } from '../types'
import { QueryField, Table } from './parts'
import type { Person } from './users'

type Event = {
  id: number
  at: string
  actor: { id: number; name: string } | null
  action: string
  subject: { kind: 'movie' | 'user' | 'key' | 'catalogue'; id: number | null; name: string }
  detail: Record<string, unknown>
}

// biome-ignore format: a table
const ACTIONS: Record<string, string> = {
  'permission.granted': 'granted a permission', 'permission.revoked': 'revoked a permission', 'user.activated': 'activated a user',
  'user.removed': 'removed a user', 'account.removed': 'deleted their account', 'password.changed': 'changed their password',
  'password.reset': 'reset their password', 'email.changed': 'changed their email', 'sessions.ended': 'ended all sessions',
  'key.created': 'created a key', 'key.revoked': 'revoked a key', 'movie.deleted': 'deleted a movie', 'movie.reassigned': 'reassigned a movie',
  import: 'imported a file', restore: 'restored a backup',
}

/** Finds the user's id, which the API takes, by name, username or email. */
function useActor() {
  const who = url.value.searchParams.get('who') ?? ''
  const isName = who !== '' && !/^\d+$/.test(who)
  const query = new URLSearchParams({ q: who, page_size: '20' })
  const answer = useResource<{ users: Person[] }>(isName ? `/v1/users?${query}` : undefined)
  const { data, error, isLoading, reload: retry } = answer
  if (!isName) return { id: who || undefined, isUnknown: false, error: undefined, retry }
  const users = isLoading.value || error.value ? [] : (data.value?.users ?? [])
  const exact = users.find((one) =>
    [one.email, one.username, one.name].some((text) => text?.toLowerCase() === who.toLowerCase()),
  )
  const found = exact ?? users[0]
  return {
    id: found && String(found.id),
    isUnknown: !isLoading.value && !error.value && data.value !== undefined && found === undefined,
    error: error.value,
    retry,
  }
}

function path(actor: string | undefined) {
  const query = new URLSearchParams({ page_size: '50' })
  for (const name of ['action', 'page']) {
    const value = url.value.searchParams.get(name)
    if (value) query.set(name, value)
  }
  if (actor) query.set('actor', actor)
  return `/v1/audit?${query}`
}

export function Audit() {
  const actor = useActor()
  const isAsking = Boolean(url.value.searchParams.get('who')) && actor.id === undefined
  const answer = useResource<{ events: Event[]; metadata: Metadata }>(isAsking ? undefined : path(actor.id))
  const { data, error, isLoading, reload } = answer
  const page = data.value
  return (
    <>
      <div class="head">
        <Heading title="Audit trail" />
        <ActionFilter />
        <QueryField name="who" label="Who" isSearch={false} placeholder="Name, email or id" />
      </div>
      {actor.isUnknown ? (
        <Empty text="There is no such user." />
      ) : (
        <Listed
          error={actor.error ?? error.value}
          retry={actor.error ? actor.retry : reload}
          metadata={page?.metadata}
        >
          {page && <Trail events={page.events} isBusy={isLoading.value || isAsking} />}
        </Listed>
      )}
    </>
  )
}

function ActionFilter() {
  const chosen = url.value.searchParams.get('action') ?? ''
  return (
    <label class="sort">
      <span>Action</span>
      <select
        value={chosen}
        onChange={({ currentTarget }) =>
          navigate(withQuery({ action: currentTarget.value, page: undefined }), { inPlace: true })
        }
      >
        <option value="">All</option>
        {Object.keys(ACTIONS).map((action) => (
          <option key={action}>{action}</option>
        ))}
        {chosen !== '' && !Object.hasOwn(ACTIONS, chosen) && <option>{chosen}</option>}
      </select>
    </label>
  )
}

function Trail({ events, isBusy }: { events: readonly Event[]; isBusy: boolean }) {
  if (events.length === 0) return <Empty text="Nothing has been recorded." />
  return (
    <Table label="Audit trail" columns={['When', 'Who', 'What', 'On']} isBusy={isBusy}>
      {events.map((event) => (
        <tr key={event.id}>
          <td class="when">{timeOf(event.at)}</td>
          <td class="text">{actorOf(event)}</td>
          <td class="text wide">
            {ACTIONS[event.action] ?? event.action} <small class="soft">{detailOf(event)}</small>
          </td>
          <td class="text">{subjectOf(event)}</td>
        </tr>
      ))}
    </Table>
  )
}

function actorOf({ actor, detail }: Event): ComponentChildren {
  if (actor === null) return `${typeof detail.by === 'string' ? detail.by : 'someone'}, on the command line`
  return (
    <a href={to(`/admin/users/${actor.id}`)}>
      <bdi>{actor.name}</bdi>
    </a>
  )
}

function subjectOf({ action, subject }: Event): ComponentChildren {
  const name = <bdi>{subject.name}</bdi>
  if (subject.kind === 'user' && !action.endsWith('.removed'))
    return <a href={to(`/admin/users/${subject.id}`)}>{name}</a>
  if (subject.kind === 'movie' && action !== 'movie.deleted')
    return <a href={to(`/movies/${subject.id}`)}>{name}</a>
  return name
}

function detailOf({ detail }: Event): string {
  return Object.entries(detail)
    .filter(([name]) => name !== 'by' && name !== 'title')
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${textOf(value)}`)
    .join(', ')
}
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return 'name' in value ? String(value.name) : JSON.stringify(value)
}
