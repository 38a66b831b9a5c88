import { Heading } from '../heading'
import { Listed } from '../listed'
import { useResource } from '../resource'
import { to, url } from '../router'
import { Empty } from '../states'
import { dayOf } from '../times'
import type { Metadata, User } from '../types'
import { QueryField, Table } from './parts'

export type Person = User & { movies: number }

function path() {
  const query = new URLSearchParams({ page_size: '50' })
  for (const name of ['q', 'page']) {
    const value = url.value.searchParams.get(name)
    if (value) query.set(name, value)
  }
  return `/v1/users?${query}`
}

export function Users() {
  const { data, error, isLoading, reload } = useResource<{ users: Person[]; metadata: Metadata }>(path())
  const page = data.value
  const count = page?.metadata.total_records ?? 0
  return (
    <>
      <div class="head">
        <Heading title="Users" />
        <p class="count" role="status">
          {page && `${count.toLocaleString('en')} ${count === 1 ? 'user' : 'users'}`}
        </p>
        <QueryField name="q" label="Search users" />
      </div>
      <Listed error={error.value} retry={reload} metadata={page?.metadata}>
        {page && <UserTable users={page.users} isBusy={isLoading.value} />}
      </Listed>
    </>
  )
}

function UserTable({ users, isBusy }: { users: readonly Person[]; isBusy: boolean }) {
  if (users.length === 0) return <Empty text="No user matches." />
  return (
    <Table label="Users" columns={['User', 'Email', 'Permissions', 'State', 'Registered']} isBusy={isBusy}>
      {users.map((one) => (
        <tr key={one.id}>
          <th scope="row">
            <a href={to(`/admin/users/${one.id}`)}>
              <bdi>{one.name}</bdi>
            </a>
          </th>
          <td class="text">{one.email}</td>
          <td>{one.permissions.join(', ') || 'none'}</td>
          <td>{one.activated ? 'active' : 'not activated'}</td>
          <td class="when">{dayOf(one.created_at)}</td>
        </tr>
      ))}
    </Table>
  )
}
