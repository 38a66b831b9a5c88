import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { JSON_TYPE, notModified, textAnswer } from '../http/answers'
import { contentTag, etag, isNotModified } from '../http/conditional'
import type { Guards } from '../http/guards'
import { listAnswer, listContent } from '../http/list-answer'
import type { Reads } from '../replicas/reads'
import { answeredOnce, answeredWhileTrue } from './cache'
import * as docs from './docs'
import { listGenres } from './genres-store'
import {
  dependsOnFavourites,
  isPersonal,
  type MovieList,
  MovieListQuery,
  type MovieSortKey,
  parseMovieList,
} from './query'
import { listMovies } from './store'

const loadPage = answeredOnce(async (db, list: MovieList<MovieSortKey>) => {
  const page = await listMovies(db, list)
  const answer = await listContent({ name: 'movies', ...page }, list)
  return { answer, bytes: answer.bytes, version: page.version }
})
const sharedPage = answeredWhileTrue(loadPage)
/** What depends on somebody's favourites isn't a matter of the catalogue's version. */
const moviePage = async (db: Db, list: MovieList<MovieSortKey>) =>
  dependsOnFavourites(list) ? (await loadPage(db, list)).answer : sharedPage(db, list)

export function searchRoutes({ read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'search', prefix: '/v1', tags: ['movies'] })
    .use(guards)

    .get(
      '/movies',
      async ({ query, caller, request }) => {
        const me = caller.user?.id
        const list = parseMovieList(query, me)
        const content = await read(me, (db) => moviePage(db, list))
        return listAnswer(request, content, list)
      },
      { public: 'movies:read', personal: isPersonal, query: MovieListQuery, detail: docs.listMovies },
    )

    .get(
      '/genres',
      async ({ caller, request }) => {
        const genres = await read(caller.user?.id, (db) => listGenres(db))
        const text = JSON.stringify({ genres })
        const tag = contentTag(text)
        return isNotModified(request.headers, tag)
          ? notModified(etag(tag))
          : textAnswer(text, 200, { 'Content-Type': JSON_TYPE, ETag: etag(tag) })
      },
      { public: 'movies:read', detail: docs.listGenres },
    )
}
