import { type AnyElysia, Elysia } from 'elysia'
import { Failure } from '../errors'
import { json } from '../http/answers'
import { authorOf } from '../http/context'
import type { Guards } from '../http/guards'
import { parseId } from '../rules/fields'
import * as docs from './docs'
import { KeyInput, keyJson } from './model'
import type { KeysService } from './service'

export function keyRoutes(keys: KeysService, guards: Guards): AnyElysia {
  return new Elysia({ name: 'keys', prefix: '/v1/keys', tags: ['keys'] })
    .use(guards)

    .post(
      '',
      async ({ body, user, request }) => {
        const { key, secret } = await keys.create(authorOf(request), user.id, body.name)
        return json({ key: { ...keyJson(key), key: secret } }, 201)
      },
      { access: 'movies:read', body: KeyInput, detail: docs.createKey },
    )

    .get('', async ({ user }) => json({ keys: (await keys.list(user.id)).map(keyJson) }), {
      access: 'movies:read',
      detail: docs.listKeys,
    })

    .delete(
      '/:id',
      async ({ params, user, request }) => {
        const id = parseId(params.id)
        if (id === undefined) throw new Failure('notFound')
        await keys.revoke(authorOf(request), id, user.id)
        return json({ message: 'key revoked' })
      },
      { access: 'movies:read', detail: docs.revokeKey },
    )
}
