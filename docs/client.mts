// A client in TypeScript. Its types are made from the document of the service that it talks to, so that a wrong path,
// parameter or field doesn't compile. In an empty folder, with this file and client-demo.mts beside it:
//
//   npm install openapi-fetch@0.17
//   npm install --save-dev openapi-typescript@7 typescript@5 @types/node
//   npx openapi-typescript http://localhost:4000/docs/json -o redlight.d.ts
//   npx tsc --strict --target es2022 --module nodenext --rewriteRelativeImportExtensions client-demo.mts
//   node client-demo.mjs http://localhost:4000 alice@example.com pa55word-of-alice
//
// Bun, and Node from 22.18 on, run client-demo.mts as it is.
import createClient from 'openapi-fetch'
import type { components, paths } from './redlight.d.ts'

type Movie = components['schemas']['Movie']
type Problem = components['schemas']['Problem'] | components['schemas']['FieldProblems']
type Answer<T> = { data?: T; error?: Problem; response: Response }

/** What an answer holds, or an error in the words of the service: one sentence, or one for each field. */
export function dataOf<T>({ data, error, response }: Answer<T>): T {
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

/** All movies that a search finds, page by page. */
export async function* search(client: Client, query: { title?: string; genres?: string }) {
  for (let page = 1, last = 1; page <= last; page++) {
    const answer = await client.GET('/v1/movies', { params: { query: { ...query, page, page_size: 100 } } })
    const { movies, metadata } = dataOf(answer)
    last = metadata.last_page
    yield* movies
  }
}

/** Changes a movie. If somebody else has changed it meanwhile, reads it again and changes what is there now. */
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
