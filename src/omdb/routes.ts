import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { foldedParametersOf } from '../http/credentials'
import type { Guards } from '../http/guards'
import type { Movie } from '../movies/model'
import { findMovie } from '../movies/store'
import type { Reads } from '../replicas/reads'
import { answeredWhileTrue, type Versioned } from '../search/cache'
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
import { findMovieByImdbId, type Search, searchTitles } from './store'
import { findMovieByTitle, type Title } from './title-store'
import { movieXml, searchXml } from './xml'

/** How something is to be answered. */
type Asked = {
  readonly isXml: boolean
  readonly hasFullPlot: boolean
  /** The answer when a text finds nothing. */
  readonly nothing: Miss
}
type Words = Extract<Question, { kind: 'title' | 'search' }>
/** The text of an answer, or why there is none. */
type Answer = { readonly text: string } | { readonly miss: Miss }

function movieAnswer(movie: Movie | undefined, { isXml, hasFullPlot }: Asked, missing: Miss): Answer {
  if (movie === undefined) return { miss: missing }
  const found = omdbMovie(movie, hasFullPlot ? 'full' : 'short')
  return { text: isXml ? movieXml(found) : JSON.stringify({ ...found, Response: 'True' }) }
}

async function titleAnswer(db: Db, asked: Asked, title: Title) {
  const best = await findMovieByTitle(db, title)
  return { answer: movieAnswer(best?.movie, asked, asked.nothing), version: best?.version ?? '' }
}

async function searchAnswer(db: Db, { isXml, nothing }: Asked, search: Search) {
  const { rows, total, version } = await searchTitles(db, search)
  if (rows.length === 0) return { answer: { miss: nothing }, version }
  const results = rows.map(omdbResult)
  const text = isXml
    ? searchXml(results, total)
    : JSON.stringify({ Search: results, totalResults: String(total), Response: 'True' })
  return { answer: { text }, version }
}

/** What was found by words is kept as long as the catalogue is the same. */
const answerWords = answeredWhileTrue(
  async (db, { asked, words }: { asked: Asked; words: Words }): Promise<Versioned<Answer>> => {
    const found =
      words.kind === 'search' ? await searchAnswer(db, asked, words) : await titleAnswer(db, asked, words)
    return { ...found, bytes: 'text' in found.answer ? Buffer.byteLength(found.answer.text) : 0 }
  },
)

async function answer(db: Db, parameters: Parameters): Promise<Answer> {
  const question = questionOf(parameters)
  if (question.kind === 'miss') return question
  const asked: Asked = {
    isXml: formatOf(parameters) === 'xml',
    hasFullPlot: wantsFullPlot(parameters),
    nothing: nothingFound(parameters),
  }
  switch (question.kind) {
    case 'id':
      return movieAnswer(await findMovie(db, question.id), asked, 'noSuchId')
    case 'imdbId':
      return movieAnswer(await findMovieByImdbId(db, question.imdbId), asked, 'noSuchId')
    default:
      return answerWords(db, { asked, words: question })
  }
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
