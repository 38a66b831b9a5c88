// A client in TypeScript. Its types are made from the document of the service that it talks to, so that a wrong path,
// parameter or field does not compile:
//
//   npm install openapi-fetch
//   npm install --save-dev openapi-typescript typescript@5
//   npx openapi-typescript http://localhost:4000/docs/json -o redlight.d.ts
//   npx tsx client.ts http://localhost:4000 alice@example.com pa55word-of-alice
import createClient from 'openapi-fetch'
import type { components, paths } from './redlight'

type Movie = components['schemas']['Movie']
type Problem = components['schemas']['Error'] | components['schemas']['FieldErrors']
type Answer<T> = { data?: T; error?: Problem; response: Response }

/** What an answer holds, or an error in the words of the service: one sentence, or one for each field. */
function dataOf<T>({ data, error, response }: Answer<T>): T {
  if (data !== undefined) return data
  throw new Error(`${response.status} ${JSON.stringify(error?.error)}`)
}

export async function signIn(baseUrl: string, email: string, password: string) {
  const answer = await createClient<paths>({ baseUrl }).POST('/v1/tokens/authentication', {
    body: { email, password },
  })
  const { token } = dataOf(answer).authentication_token
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } })
}
type Client = Awaited<ReturnType<typeof signIn>>

/** All films that a search finds, page by page. */
export async function* search(client: Client, query: { title?: string; genres?: string }) {
  for (let page = 1, last = 1; page <= last; page++) {
    const answer = await client.GET('/v1/movies', { params: { query: { ...query, page, page_size: 100 } } })
    const { movies, metadata } = dataOf(answer)
    last = metadata.last_page
    yield* movies
  }
}

/** Changes a film unless somebody else has meanwhile: then it is read again, and the change made to what is there now. */
export async function change(
  client: Client,
  id: number,
  edit: (movie: Movie) => Partial<Movie>,
): Promise<Movie> {
  const { movie } = dataOf(await client.GET('/v1/movies/{id}', { params: { path: { id } } }))
  const { title, synopsis, director } = edit(movie)
  const answer = await client.PATCH('/v1/movies/{id}', {
    params: { path: { id }, header: { 'If-Match': `"${movie.version}"` } },
    body: { title, synopsis, director },
  })
  return answer.response.status === 412 ? change(client, id, edit) : dataOf(answer).movie
}

const [baseUrl = 'http://localhost:4000', email = '', password = ''] = process.argv.slice(2)
const client = await signIn(baseUrl, email, password)
for await (const { id, title, year } of search(client, { genres: 'animation' })) console.log(id, title, year)

const body = { title: `My Holiday of ${Date.now()}`, year: 2026, runtime: '12 mins', genres: ['documentary'] }
const { movie } = dataOf(await client.POST('/v1/movies', { body }))
console.log(await change(client, movie.id, ({ title }) => ({ synopsis: `All of ${title}.` })))

const params = { path: { id: movie.id } }
dataOf(await client.PUT('/v1/users/me/favourites/{id}', { params }))
console.log(dataOf(await client.GET('/v1/users/me/favourites')).metadata)
