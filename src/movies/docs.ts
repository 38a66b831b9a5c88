import { type Answer, messageAnswer, type Operation, objectOf } from '../openapi/operation'
import { exampleMovies, INITIAL_MOVIES, metadataSchema, movieFields, movieSchema } from './docs-schemas'

const newFilm = {
  title: 'The Wizard of Oz',
  year: 1939,
  runtime: '102 mins',
  genres: ['family', 'fantasy', 'musical'],
}
const details = {
  director: 'Victor Fleming',
  cast: ['Judy Garland', 'Frank Morgan', 'Ray Bolger', 'Bert Lahr', 'Jack Haley'],
  release_date: '1939-08-25',
}
/** The first film that somebody adds to a fresh catalogue. */
const NEW_ID = INITIAL_MOVIES + 1
const added = { id: NEW_ID, ...newFilm, ...details, created_by: { id: 2, name: 'Alice' }, version: 1 }

const movieAnswer = (description: string, movie: unknown, headers: Answer['headers'] = ['ETag']): Answer => ({
  description,
  schema: objectOf({ movie: movieSchema }),
  example: { movie },
  headers,
})

export const listParameters = {
  title: { description: 'Words of the title, all of them, in any case and with or without accents.' },
  genres: { description: 'Genres separated by commas; a movie has all of them, in any case.' },
  director: { description: 'Words of the director, as for the title.' },
  cast: { description: 'Words of the cast, as for the title.' },
  year: { description: 'The year of the movie.' },
  release_date: { description: 'The exact day of release.' },
  release_date_from: { description: 'The first day of release, itself included.' },
  release_date_to: { description: 'The last day of release, itself included.' },
  created_by: {
    description: 'The id of the user who added the movie, or `me`.',
    pattern: '^(me|[1-9][0-9]{0,18})$',
  },
  page: { description: 'The page; one past the last is empty.', default: 1 },
  page_size: { description: 'How many movies a page has.', default: 20 },
}
const sort = {
  description: 'By what to sort; `-` turns it round. Ties go by id; movies without a release date come last.',
  default: 'id',
}

export const listMovies: Operation = {
  operationId: 'listMovies',
  summary: 'List and search movies',
  description:
    'Filters, sorts and pages. All filters must hold. An empty value counts as not given; an unknown parameter, or one given twice, is refused.',
  access: 'movies:read',
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
  problems: { page_size: 'must be between 1 and 100', rating: 'is not a known parameter' },
}

export const createMovie: Operation = {
  operationId: 'createMovie',
  summary: 'Add a movie',
  description: 'Its creator alone can change or delete it. A field that is `null` counts as not given.',
  access: 'movies:write',
  body: {
    name: 'NewMovie',
    fields: movieFields,
    together: {
      anyOf: [
        { required: ['year'], properties: { year: { type: 'integer' } } },
        { required: ['release_date'], properties: { release_date: { type: 'string' } } },
      ],
    },
    examples: {
      full: { summary: 'With all details', value: { ...newFilm, ...details } },
      short: {
        summary: 'The required fields',
        value: { title: 'Rebecca', year: 1940, runtime: '130 mins', genres: ['drama', 'mystery'] },
      },
    },
  },
  answers: { 201: movieAnswer('The movie was added.', added, ['ETag', 'Location']) },
  problems: { title: 'a movie with this title already exists' },
}

export const showMovie: Operation = {
  operationId: 'showMovie',
  summary: 'Show a movie',
  description: 'With `If-None-Match`, a version that the client already has is not sent again.',
  access: 'movies:read',
  id: { description: 'The id of the movie.', example: 1 },
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: movieAnswer('The movie.', exampleMovies[0]),
    304: { description: 'The client has this version already.', headers: ['ETag'] },
  },
}

export const updateMovie: Operation = {
  operationId: 'updateMovie',
  summary: 'Change a movie',
  description:
    'Changes the fields that are sent (JSON Merge Patch): `null` clears an optional one. `release_date` moves `year` along. Only the creator can do it; `If-Match` or `X-Expected-Version` guards it against another writer.',
  access: 'movies:write',
  id: { description: 'The id of a movie of your own.', example: NEW_ID },
  requestHeaders: ['IfMatch', 'ExpectedVersion'],
  body: {
    name: 'MovieChanges',
    fields: movieFields,
    examples: {
      genres: {
        summary: 'Change one field',
        value: { genres: ['adventure', 'family', 'fantasy', 'musical'] },
      },
      clear: { summary: 'Clear an optional field', value: { synopsis: null } },
    },
  },
  answers: {
    200: movieAnswer('The movie as it is now.', {
      ...added,
      genres: ['adventure', 'family', 'fantasy', 'musical'],
      version: 2,
    }),
  },
  refusals: ['notCreator', 'editConflict', 'preconditionFailed'],
  problems: { year: 'must be the year of the release date, 1939' },
}

export const deleteMovie: Operation = {
  operationId: 'deleteMovie',
  summary: 'Delete a movie',
  description:
    'Removes it from everybody’s favourites too. Only the creator can do it; `If-Match` or `X-Expected-Version` guards it against another writer.',
  access: 'movies:write',
  id: { description: 'The id of a movie of your own.', example: NEW_ID },
  requestHeaders: ['IfMatch', 'ExpectedVersion'],
  answers: { 200: messageAnswer('The movie is gone.', 'movie successfully deleted') },
  refusals: ['notCreator', 'editConflict', 'preconditionFailed'],
}
