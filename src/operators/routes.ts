import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { json } from '../http/answers'
import { authorOf, contextOf } from '../http/context'
import { type Guards, RECORD, type RecordGuard, type RouteLine } from '../http/guards'
import { listPage } from '../http/list-answer'
import { parseId } from '../rules/fields'
import type { User } from '../users/model'
import { findUser } from '../users/store'
import * as docs from './docs'
import { managedUserJson, parseUserList, UserChanges, UserListQuery } from './model'
import type { OperatorsService } from './service'
import { findManagedUser, listManagedUsers } from './store'

declare module '../http/context' {
  interface RequestContext {
    /** The user that an operator changes. */
    managed?: User
  }
}

/** `managed: true` on a route's line: the user of the path is there. */
function managedUsers(db: Db) {
  const known: RecordGuard = async (request, { id = '' }) => {
    const number = parseId(id)
    const user = number === undefined ? undefined : await findUser(db, number)
    if (user === undefined) throw new Failure('notFound')
    contextOf(request).managed = user
    return undefined
  }
  return new Elysia({ name: 'managed-users' }).macro({
    managed: (_: true) => ({
      introspect(line: RouteLine) {
        line[RECORD] = known
      },
      resolve({ request }) {
        const { managed } = contextOf(request)
        if (managed === undefined) throw new Error('the route has no access')
        return { managed }
      },
    }),
  })
}

export function operatorRoutes(db: Db, operators: OperatorsService, guards: Guards): AnyElysia {
  return new Elysia({ name: 'operators', prefix: '/v1/users', tags: ['operators'] })
    .use(guards)
    .use(managedUsers(db))

    .get(
      '',
      async ({ query, request }) => {
        const list = parseUserList(query)
        const { rows, total } = await listManagedUsers(db, list)
        const users = rows.map((user) => JSON.stringify(managedUserJson(user)))
        return listPage(request, { name: 'users', rows: users, total }, list)
      },
      { access: 'admin', query: UserListQuery, detail: docs.listUsers },
    )

    .get(
      '/:id',
      async ({ params }) => {
        const id = parseId(params.id)
        const user = id === undefined ? undefined : await findManagedUser(db, id)
        if (user === undefined) throw new Failure('notFound')
        return json({ user: managedUserJson(user) })
      },
      { access: 'admin', detail: docs.showUser },
    )

    .patch(
      '/:id',
      async ({ body, managed, request }) =>
        json({ user: managedUserJson(await operators.change(authorOf(request), managed, body)) }),
      { access: 'admin', managed: true, body: UserChanges, detail: docs.changeUser },
    )

    .delete(
      '/:id',
      async ({ managed, request }) => {
        if ((await operators.remove(authorOf(request), managed.id)) === undefined)
          throw new Failure('notFound')
        return json({ message: 'user removed' })
      },
      { access: 'admin', managed: true, detail: docs.removeUser },
    )
}
