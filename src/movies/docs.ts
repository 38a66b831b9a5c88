import { type Answer, type Examples, messageAnswer, type Operation, objectOf } from '../openapi/operation'
import { exampleMovies, INITIAL_MOVIES, movieFields, movieSchema } from './docs-schemas'

const newMovie = {
  title: 'The Wizard of Oz',
  year: 1939,
  runtime: '102 mins',
  genres: ['family', 'fantasy', 'musical'],
}
const details = {
  director: 'Victor Fleming',
  cast: ['Judy Garland', 'Frank Morgan', 'Ray Bolger', 'Bert Lahr', 'Jack Haley'],
  release_date: '1939-08-25',
  poster: 'https://images.example.com/the-wizard-of-oz.jpg',
  imdb_id: 'tt0032138',
  external_id: 'oz-1939',
}
/** The id of the first movie added to a fresh catalogue. */
const NEW_ID = INITIAL_MOVIES + 1
const added = { id: NEW_ID, ...newMovie, ...details, created_by: { id: 2, name: 'Alice' }, version: 1 }

const movieAnswer = (description: string, movie: unknown, headers: Answer['headers'] = ['ETag']): Answer => ({
  description,
  schema: objectOf({ movie: movieSchema }),
  example: { movie },
  headers,
})

const duplicates =
  'If another movie has the same title, IMDb id or external id, the 422 has the header `Link: </v1/movies/<id>>; rel="duplicate"`.'
const externalId = {
  description: 'The external id, percent-encoded.',
  example: details.external_id,
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

/** What `movie: 'own'` on a route's line adds to the operation. */
export const ownMovie: Partial<Operation> = {
  requestHeaders: ['IfMatch', 'ExpectedVersion'],
  refusals: ['notCreator', 'editConflict', 'preconditionFailed'],
}

/** The same for `movie: 'any'`. */
export const anyMovie: Partial<Operation> = { ...ownMovie, refusals: ['editConflict', 'preconditionFailed'] }

const newMovieBody = (examples: Examples): Operation['body'] => ({
  name: 'NewMovie',
  fields: movieFields,
  together: {
    anyOf: [
      { required: ['year'], properties: { year: { type: 'integer' } } },
      { required: ['release_date'], properties: { release_date: { type: 'string' } } },
    ],
  },
  examples,
})

export const createMovie: Operation = {
  operationId: 'createMovie',
  summary: 'Add a movie',
  description: `Only its creator can change or delete it. A \`null\` field counts as left out. ${duplicates}`,
  body: newMovieBody({
    full: { summary: 'With all details', value: { ...newMovie, ...details } },
    short: {
      summary: 'The required fields',
      value: { title: 'Rebecca', year: 1940, runtime: '130 mins', genres: ['drama', 'mystery'] },
    },
  }),
  answers: { 201: movieAnswer('The movie was added.', added, ['ETag', 'Location']) },
  problems: { title: 'a movie with this title already exists' },
}

export const showMovie: Operation = {
  operationId: 'showMovie',
  summary: 'Get a movie',
  description: 'Send your ETag as `If-None-Match`: if your copy is current, you get an empty 304.',
  id: { description: 'The id of the movie.', example: 1 },
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: movieAnswer('The movie.', exampleMovies[0]),
    304: { description: 'The copy of the client is current.', headers: ['ETag', 'Stale'] },
  },
}

export const showMovieByExternalId: Operation = {
  ...showMovie,
  operationId: 'showMovieByExternalId',
  summary: 'Get a movie by your own id',
  id: externalId,
  answers: { ...showMovie.answers, 200: movieAnswer('The movie.', added) },
}

export const putMovie: Operation = {
  operationId: 'putMovie',
  summary: 'Add or change a movie by your own id',
  description: `Replaces the movie with this external id, or adds it. Fields left out are cleared. Sending the same again changes nothing. Only the creator can change it. ${duplicates}`,
  id: externalId,
  requestHeaders: ['IfMatch', 'OnlyIfNew', 'ExpectedVersion'],
  body: newMovieBody({
    changed: {
      summary: 'With all details',
      value: { ...newMovie, ...details, synopsis: 'A girl and her dog follow a yellow brick road.' },
    },
  }),
  answers: {
    200: movieAnswer('The movie as it is now.', {
      ...added,
      ...{ synopsis: 'A girl and her dog follow a yellow brick road.' },
      version: 2,
    }),
    201: movieAnswer('The movie was added.', added, ['ETag', 'Location']),
  },
  problems: { external_id: 'must be the one in the path, or left out' },
}

export const updateMovie: Operation = {
  operationId: 'updateMovie',
  summary: 'Change a movie',
  description:
    'Changes the fields that are sent (JSON Merge Patch); `null` clears an optional one. Only the creator can do this. `If-Match` or `X-Expected-Version` makes it fail if somebody else has changed the movie.',
  id: { description: 'The id of one of your movies.', example: NEW_ID },
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
  problems: { year: 'must be an integer' },
}

export const deleteMovie: Operation = {
  operationId: 'deleteMovie',
  summary: 'Delete a movie',
  description:
    'Also removes it from all favourites. Only the creator can do this. `If-Match` or `X-Expected-Version` makes it fail if somebody else has changed the movie.',
  id: { description: 'The id of one of your movies.', example: NEW_ID },
  answers: { 200: messageAnswer('The movie was deleted.', 'movie successfully deleted') },
}

export const reassignMovie: Operation = {
  operationId: 'reassignMovie',
  summary: 'Make a movie another user’s',
  description:
    'Only its creator can change or delete a movie, so an operator makes it theirs first. Also needs the permission `movies:write`. The trail shows it.',
  id: { description: 'The id of the movie.', example: NEW_ID },
  body: {
    name: 'NewCreator',
    fields: { id: { description: 'The id of the user.' } },
    examples: { id: { summary: 'To Redlight, the built-in account', value: { id: 1 } } },
  },
  answers: {
    200: movieAnswer('The movie as it is now.', {
      ...added,
      created_by: { id: 1, name: 'Redlight' },
      version: 2,
    }),
  },
  problems: { id: 'must be the id of a user' },
}
