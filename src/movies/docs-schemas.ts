import { type JsonSchema, named, objectOf } from '../openapi/operation'
import initialMovies from './initial-movies.json'
import { MovieInput } from './model'

export const movieFields = {
  title: {
    description:
      'Stored exactly as sent; unique over all movies regardless of case, Unicode form and repeated white space.',
    pattern: '^\\S([\\s\\S]*\\S)?$',
  },
  year: { description: 'Taken from the release date if left out. At most five years from now.' },
  runtime: { pattern: '^([1-9][0-9]{0,4}|100000) mins$', description: 'In minutes, from 1 to 100000.' },
  genres: {
    description: 'Without duplicates, regardless of case; the order is kept.',
    uniqueItems: true,
    items: { type: 'string', minLength: 1, maxLength: 50, pattern: '^[^,]+$' },
  },
  cast: { description: 'Names, without duplicates.', uniqueItems: true },
  release_date: { description: 'A calendar date, from 1888 to five years from now.' },
  poster: { description: 'An http or https URL of a picture.', pattern: '^[Hh][Tt][Tt][Pp][Ss]?://' },
  imdb_id: {
    description: 'Below tt90000000, and unique; kept as `tt` and the number in at least 7 digits.',
  },
  external_id: {
    description: 'The id of the movie in your own system: unique, case-sensitive, without `/` and `\\`.',
  },
}

const content: Readonly<Record<string, JsonSchema>> = MovieInput.properties
/** Left out when not set; for an imported movie that includes the runtime. */
export const optionalMovieProperties = Object.entries(content)
  .filter(([name, { nullable }]) => name === 'runtime' || (nullable && name !== 'year'))
  .map(([name]) => name)
const id: JsonSchema = { type: 'integer', format: 'int64', minimum: 1 }

/** An imported movie may lack these. */
const onlyOut: Readonly<Record<string, JsonSchema>> = {
  genres: { minItems: 0, description: 'Empty for an imported movie whose genres are unknown.' },
  runtime: { description: 'In minutes; left out for an imported movie whose runtime is unknown.' },
}
/** Output follows the rules of input, except that fields not set are left out rather than null. */
const contentOut = Object.entries(content).map(([name, { nullable: _, ...schema }]) => [
  name,
  { ...schema, ...Object.entries(movieFields).find(([key]) => key === name)?.[1], ...onlyOut[name] },
])
const creator = named('Creator', {
  ...objectOf({ id, name: { type: 'string' }, username: { type: 'string' } }, ['username']),
  description: 'The user who added the movie; only they may change it.',
})
const version: JsonSchema = {
  type: 'integer',
  minimum: 1,
  description: 'Grows by 1 with each change; the same as in the ETag.',
}
export const movieProperties: Readonly<Record<string, JsonSchema>> = {
  id,
  ...Object.fromEntries(contentOut),
  created_by: creator,
  version,
}
export const movieSchema = named('Movie', objectOf(movieProperties, optionalMovieProperties))

const builtInUser = { id: 1, name: 'Redlight' }
/** Movies of a fresh catalogue, in the API's form. */
export const exampleMovies = initialMovies
  .slice(0, 2)
  .map((movie, index) => ({ id: index + 1, ...movie, created_by: builtInUser, version: 1 }))

export const INITIAL_MOVIES = initialMovies.length
