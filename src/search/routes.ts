import { type AnyElysia, Elysia } from 'elysia'
import { listPage } from '../http/answers'
import type { Guards } from '../http/guards'
import { movieJson } from '../movies/model'
import type { Reads } from '../replicas/reads'
import * as docs from './docs'
import { MovieListQuery, parseMovieList } from './query'
import { listMovies } from './store'

export function searchRoutes({ read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'search', prefix: '/v1/movies', tags: ['movies'] }).use(guards).get(
    '',
    async ({ query, user, request }) => {
      const list = parseMovieList(query, user.id)
      const { rows, total } = await read(user.id, (db) => listMovies(db, list))
      const movies = rows.map(({ movie }) => movieJson(movie))
      return listPage(request, { name: 'movies', rows: movies, total }, list)
    },
    { access: 'movies:read', query: MovieListQuery, detail: docs.listMovies },
  )
}
