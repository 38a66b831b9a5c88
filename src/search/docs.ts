import {
  exampleMovies,
  INITIAL_MOVIES,
  movieProperties,
  optionalMovieProperties,
} from '../movies/docs-schemas'
import { type JsonSchema, metadataSchema, named, type Operation, objectOf } from '../openapi/operation'

export const listParameters = {
  q: {
    description:
      'Finds as people type: all words are in the title, director or cast, and the last one may be only begun. If fewer than 10 movies are found, those with a similar title are added. `&` means “and”.',
  },
  title: {
    description:
      'Words that must all be in the title, in any case, with or without accents; at most 32 different ones.',
  },
  genres: {
    description:
      'Genres separated by commas, in any case; a movie must have all of them. At most 32 different ones.',
  },
  genres_any: { description: 'Genres separated by commas; a movie must have at least one of them.' },
  director: { description: 'Words of the director, as for the title.' },
  cast: { description: 'Words of the cast, as for the title.' },
  year: { description: 'The year of the movie.' },
  year_from: { description: 'The earliest year (inclusive).' },
  year_to: { description: 'The latest year (inclusive).' },
  runtime_from: { description: 'The shortest runtime in minutes (inclusive).' },
  runtime_to: {
    description: 'The longest runtime in minutes (inclusive). A range never finds an unknown runtime.',
  },
  release_date: { description: 'The exact release date.' },
  release_date_from: { description: 'The earliest release date (inclusive).' },
  release_date_to: { description: 'The latest release date (inclusive).' },
  imdb_id: { description: 'The IMDb id of the movie.', pattern: '^tt[0-9]{7,10}$' },
  external_id: { description: 'The id of the movie in your own system.' },
  created_by: {
    description: 'The id of the user who added the movie, or `me`.',
    pattern: '^(me|[1-9][0-9]{0,18})$',
  },
  favourite: { description: '`true` finds your favourites only, `false` all other movies.' },
  include: { description: 'With `favourite`, each movie says whether it is one of your favourites.' },
  page: { description: 'The page number; a page past the last is empty.', default: 1 },
  page_size: { description: 'Movies per page.', default: 20 },
}
const sort = {
  description:
    'The sort key; `-` reverses the order. Ties are sorted by id; movies without a release date or runtime come last. With `q`, the default is `relevance`: the title itself, titles that begin so, all words in the title, words in director and cast, then by likeness; ties by newer year.',
  default: 'id',
}

/** What only lists say of a movie. */
export const listedProperties: Readonly<Record<string, JsonSchema>> = {
  favourite: {
    type: 'boolean',
    description: 'Whether the movie is one of your favourites; only with `include=favourite`.',
  },
}
const listedMovie = named(
  'ListedMovie',
  objectOf({ ...movieProperties, ...listedProperties }, [...optionalMovieProperties, 'favourite']),
)

export const listMovies: Operation = {
  operationId: 'listMovies',
  summary: 'List and search movies',
  description:
    'A movie must match all filters. Empty parameters are ignored; an unknown or repeated parameter is refused.',
  query: { ...listParameters, sort },
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: {
      description: 'A page of movies.',
      schema: objectOf({ movies: { type: 'array', items: listedMovie }, metadata: metadataSchema }),
      example: {
        movies: exampleMovies,
        metadata: {
          current_page: 1,
          page_size: 2,
          first_page: 1,
          last_page: INITIAL_MOVIES / 2,
          total_records: INITIAL_MOVIES,
        },
      },
      headers: ['Link', 'ContentETag'],
    },
    304: { description: 'No movie of the page has changed, nor the totals.', headers: ['ContentETag'] },
  },
  refusals: ['tooManyAnswers'],
  problems: { page_size: 'must be between 1 and 100', rating: 'is not a known parameter' },
}

export const listGenres: Operation = {
  operationId: 'listGenres',
  summary: 'List the genres',
  description:
    'All genres with the number of their movies, most movies first. A genre in any case counts as one, under its commonest spelling. The answer may be 10 seconds old.',
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: {
      description: 'The genres.',
      schema: objectOf({
        genres: {
          type: 'array',
          items: objectOf({ name: { type: 'string' }, movies: { type: 'integer', minimum: 1 } }),
        },
      }),
      example: {
        genres: [
          { name: 'drama', movies: 80 },
          { name: 'adventure', movies: 22 },
        ],
      },
      headers: ['ContentETag', 'Stale'],
    },
    304: { description: 'The copy of the client is current.', headers: ['ContentETag', 'Stale'] },
  },
}
