import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { json } from '../http/answers'
import type { Guards } from '../http/guards'
import { listAnswer, listContent } from '../http/list-answer'
import { movieJson } from '../movies/model'
import { findMovie } from '../movies/store'
import type { Reads } from '../replicas/reads'
import { parseId } from '../rules/fields'
import { answeredOnce } from '../search/cache'
import { FavouriteListQuery, parseFavouriteList } from '../search/query'
import * as docs from './docs'
import { addFavourite, type FavouritesQuestion, listFavourites, removeFavourite } from './store'

function movieId(id: string): number {
  const number = parseId(id)
  if (number === undefined) throw new Failure('notFound')
  return number
}

const favouritesPage = answeredOnce(async (db, question: FavouritesQuestion) =>
  listContent({ name: 'movies', ...(await listFavourites(db, question)) }, question.list),
)

export function favouriteRoutes(db: Db, { read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'favourites', prefix: '/v1/users/me/favourites', tags: ['favourites'] })
    .use(guards)

    .get(
      '',
      async ({ query, user, request }) => {
        const list = parseFavouriteList(query, user.id)
        const content = await read(user.id, (db) => favouritesPage(db, { userId: user.id, list }))
        return listAnswer(request, content, list)
      },
      { access: 'movies:read', query: FavouriteListQuery, detail: docs.listFavourites },
    )

    .put(
      '/:id',
      async ({ params, user }) => {
        const id = movieId(params.id)
        await addFavourite(db, user.id, id)
        const movie = await findMovie(db, id)
        if (movie === undefined) throw new Failure('notFound')
        return json({ movie: movieJson(movie) })
      },
      { access: 'movies:read', detail: docs.addFavourite },
    )

    .delete(
      '/:id',
      async ({ params, user }) => {
        if (!(await removeFavourite(db, user.id, movieId(params.id)))) throw new Failure('notFound')
        return json({ message: 'movie removed from favourites' })
      },
      { access: 'movies:read', detail: docs.removeFavourite },
    )
}
