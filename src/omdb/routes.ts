import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { foldedParametersOf } from '../http/credentials'
import type { Guards } from '../http/guards'
import type { Movie } from '../movies/model'
import { findMovie } from '../movies/store'
import type { Reads } from '../replicas/reads'
import { omdbMovie, omdbResult } from './answer'
import * as docs from './docs'
import type { OmdbForm } from './form-routes'
import {
  formatOf,
  type Miss,
  nothingFound,
  type Parameters,
  type Question,
  questionOf,
  wantsFullPlot,
} from './query'
import { findMovieByImdbId, searchTitles } from './store'
import { findMovieByTitle } from './title-store'
import { movieXml, searchXml } from './xml'

type OneMovie = Extract<Question, { kind: 'id' | 'imdbId' | 'title' }>

function load(db: Db, question: OneMovie): Promise<Movie | undefined> {
  switch (question.kind) {
    case 'id':
      return findMovie(db, question.id)
    case 'imdbId':
      return findMovieByImdbId(db, question.imdbId)
    case 'title':
      return findMovieByTitle(db, { text: question.text, year: question.year })
  }
}

/** The text of an answer, or why there is none. */
type Answer = { readonly text: string } | { readonly miss: Miss }

async function answerOne(db: Db, question: OneMovie, parameters: Parameters): Promise<Answer> {
  const movie = await load(db, question)
  if (movie === undefined) return { miss: question.kind === 'title' ? 'noMovie' : 'noSuchId' }
  const found = omdbMovie(movie, wantsFullPlot(parameters) ? 'full' : 'short')
  const isXml = formatOf(parameters) === 'xml'
  return { text: isXml ? movieXml(found) : JSON.stringify({ ...found, Response: 'True' }) }
}

async function answerSearch(
  db: Db,
  { text, year, page }: Extract<Question, { kind: 'search' }>,
  parameters: Parameters,
): Promise<Answer> {
  const { rows, total, hasWords } = await searchTitles(db, { text, year, page })
  if (rows.length === 0) return { miss: hasWords ? nothingFound(parameters) : 'noWord' }
  const results = rows.map(omdbResult)
  if (formatOf(parameters) === 'xml') return { text: searchXml(results, total) }
  return { text: JSON.stringify({ Search: results, totalResults: String(total), Response: 'True' }) }
}

async function answer(db: Db, parameters: Parameters): Promise<Answer> {
  const question = questionOf(parameters)
  if (question.kind === 'miss') return question
  return question.kind === 'search'
    ? answerSearch(db, question, parameters)
    : answerOne(db, question, parameters)
}

/** The catalogue in the form of the Open Movie Database API (contract section 10). */
export function omdbRoutes(
  { read, readCurrent }: Pick<Reads, 'read' | 'readCurrent'>,
  form: OmdbForm,
  guards: Guards,
): AnyElysia {
  async function respond(request: Request, userId: number | undefined) {
    const parameters = foldedParametersOf(request)
    const work = (db: Db) => answer(db, parameters)
    // A client that has seen a movie must not get an older state of it.
    const answered = await (request.headers.has('if-none-match') ? readCurrent(work) : read(userId, work))
    return 'miss' in answered
      ? form.miss(parameters, answered.miss)
      : form.found(request, parameters, answered.text)
  }

  return (
    new Elysia({ name: 'omdb', prefix: '/omdb', tags: ['omdb'] })
      .use(guards)
      .get('', ({ request, caller }) => respond(request, caller.user?.id), {
        key: 'movies:read',
        detail: docs.omdb,
      })
      // Some clients add the slash.
      .get('/', ({ request, caller }) => respond(request, caller.user?.id), {
        key: 'movies:read',
        detail: { hide: true },
      })
  )
}
