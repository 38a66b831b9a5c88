import { exampleMovies, INITIAL_MOVIES, metadataSchema, movieSchema } from '../movies/docs-schemas'
import { type Operation, objectOf } from '../openapi/operation'

export const listParameters = {
  title: {
    description:
      'Words that must all be in the title, in any case, with or without accents; at most 32 different ones.',
  },
  genres: {
    description:
      'Genres separated by commas, in any case; a movie must have all of them. At most 32 different ones.',
  },
  director: { description: 'Words of the director, as for the title.' },
  cast: { description: 'Words of the cast, as for the title.' },
  year: { description: 'The year of the movie.' },
  release_date: { description: 'The exact release date.' },
  release_date_from: { description: 'The earliest release date (inclusive).' },
  release_date_to: { description: 'The latest release date (inclusive).' },
  imdb_id: { description: 'The IMDb id of the movie.', pattern: '^tt[0-9]{7,10}$' },
  external_id: { description: 'The id of the movie in your own system.' },
  created_by: {
    description: 'The id of the user who added the movie, or `me`.',
    pattern: '^(me|[1-9][0-9]{0,18})$',
  },
  page: { description: 'The page number; a page past the last is empty.', default: 1 },
  page_size: { description: 'Movies per page.', default: 20 },
}
const sort = {
  description:
    'The sort key; `-` reverses the order. Ties are sorted by id; movies without a release date or runtime come last.',
  default: 'id',
}

export const listMovies: Operation = {
  operationId: 'listMovies',
  summary: 'List and search movies',
  description:
    'A movie must match all filters. Empty parameters are ignored; an unknown or repeated parameter is refused.',
  query: { ...listParameters, sort },
  answers: {
    200: {
      description: 'A page of movies.',
      schema: objectOf({ movies: { type: 'array', items: movieSchema }, metadata: metadataSchema }),
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
      headers: ['Link'],
    },
  },
  refusals: ['tooManyAnswers'],
  problems: { page_size: 'must be between 1 and 100', rating: 'is not a known parameter' },
}
