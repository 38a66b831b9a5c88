import type { FailureCode } from '../errors'
import { type JsonSchema, named, type Operation, objectOf } from '../openapi/operation'
import { failureJson } from './form-routes'
import { misses } from './query'

const text = { type: 'string', minLength: 1 }
const id = { type: 'string', pattern: '^tt[0-9]{7,10}$' }
const kind = { type: 'string', const: 'movie' }
const yes = { type: 'string', const: 'True' }
const unknown = { type: 'string', const: 'N/A' }

const movieSchema = named(
  'OmdbMovie',
  objectOf({
    Title: text,
    Year: { type: 'string', pattern: '^[0-9]{4}$' },
    Rated: unknown,
    Released: { ...text, description: 'Such as `05 Mar 1995`.' },
    Runtime: { ...text, description: 'Such as `107 min`.' },
    Genre: text,
    Director: text,
    Writer: unknown,
    Actors: text,
    Plot: text,
    Language: unknown,
    Country: unknown,
    Awards: unknown,
    Poster: text,
    Ratings: { type: 'array', maxItems: 0, items: {} },
    Metascore: unknown,
    imdbRating: unknown,
    imdbVotes: unknown,
    imdbID: id,
    Type: kind,
    DVD: unknown,
    BoxOffice: unknown,
    Production: unknown,
    Website: unknown,
    Response: yes,
  }),
)
const resultSchema = objectOf({ Title: text, Year: text, imdbID: id, Type: kind, Poster: text })
const searchSchema = named(
  'OmdbSearch',
  objectOf({
    Search: { type: 'array', minItems: 1, maxItems: 10, items: resultSchema },
    totalResults: { type: 'string', pattern: '^[0-9]+$' },
    Response: yes,
  }),
)
const errorSchema = named(
  'OmdbError',
  objectOf({ Response: { type: 'string', const: 'False' }, Error: text }),
)

const parameters: Readonly<Record<string, JsonSchema>> = {
  apikey: { description: 'An API key, unless it is sent as `X-API-Key` or `Authorization: Bearer`.' },
  i: {
    description: 'An IMDb id. A movie without one has `tt` and 90,000,000 + its id, such as `tt90000001`.',
    example: 'tt90000001',
  },
  t: { description: 'A title: the best match is returned, the title itself before others.' },
  s: { description: 'Words of titles to search for, 10 movies a page. Wins over `i`, and `i` over `t`.' },
  y: { description: 'With `t` or `s`: only movies of this year, in four digits.' },
  type: { description: '`movie`, or nothing; there are no `series`, `episode` or `game`.' },
  plot: { description: '`full` for the whole synopsis, else its first 240 characters or so.' },
  page: { description: 'The page of a search, from 1 to 100.', default: '1' },
  r: { description: '`xml`, else JSON.' },
}

const codes: readonly FailureCode[] = [
  'authenticationRequired',
  'invalidAuthenticationToken',
  'notActivated',
  'notPermitted',
  'rateLimited',
  'internal',
  'databaseUnavailable',
]

export const omdb: Operation = {
  operationId: 'omdb',
  summary: 'Ask as the Open Movie Database is asked',
  description: `Clients of the Open Movie Database work here unchanged but for the address: this one in place of
\`https://www.omdbapi.com/\`, with a key of your own. Names of parameters count in any case. A movie that isn't found is a 200
with \`"Response":"False"\` and the words that OMDb has for it, such as \`${misses.noMovie}\` Pages of any origin may call this.`,
  query: parameters,
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: {
      description: 'A movie, a page of a search, or the reason why there is none.',
      schema: { anyOf: [movieSchema, searchSchema, errorSchema] },
      others: {
        'text/xml': {
          schema: { type: 'string' },
          example: '<root response="True"><movie title="Moana" …/></root>',
        },
      },
      headers: ['Stale'],
    },
    304: { description: 'The copy of the client is current.', headers: ['ETag', 'Stale'] },
  },
  failure: {
    schema: errorSchema,
    examples: Object.fromEntries(codes.map((code) => [code, failureJson(code)])),
  },
}
