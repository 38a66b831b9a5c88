import { exampleMovies, INITIAL_MOVIES, metadataSchema, movieSchema } from '../movies/docs-schemas'
import { type Operation, objectOf } from '../openapi/operation'

export const listParameters = {
  title: {
    description:
      'Words of the title, all of them, in any case and with or without accents; at most 32 different ones.',
  },
  genres: {
    description:
      'Genres separated by commas; a movie has all of them, in any case; at most 32 different ones.',
  },
  director: { description: 'Words of the director, as for the title.' },
  cast: { description: 'Words of the cast, as for the title.' },
  year: { description: 'The year of the movie.' },
  release_date: { description: 'The exact day of release.' },
  release_date_from: { description: 'The first day of release, itself included.' },
  release_date_to: { description: 'The last day of release, itself included.' },
  imdb_id: { description: 'The id that the movie has at IMDb.', pattern: '^tt[0-9]{7,10}$' },
  external_id: { description: 'The id that the movie has in your own system.' },
  created_by: {
    description: 'The id of the user who added the movie, or `me`.',
    pattern: '^(me|[1-9][0-9]{0,18})$',
  },
  page: { description: 'The page; one past the last is empty.', default: 1 },
  page_size: { description: 'How many movies a page has.', default: 20 },
}
const sort = {
  description:
    'By what to sort; `-` turns it round. Ties go by id; movies without a release date or a runtime come last.',
  default: 'id',
}

export const listMovies: Operation = {
  operationId: 'listMovies',
  summary: 'List and search movies',
  description:
    'Filters, sorts and pages. All filters must hold. An empty value counts as not given; an unknown parameter, or one given twice, is refused.',
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
