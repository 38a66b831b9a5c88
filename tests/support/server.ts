import { createJwt } from '../../src/access/jwt'
import type { Config } from '../../src/config/config'
import { createLog, type LogFields } from '../../src/log'
import type { Permission } from '../../src/permissions'
import { realTime, type Timing } from '../../src/server/compose'
import { startServer } from '../../src/server/server'
import { configOf } from './config'
import { createFilledDatabase, type TestDatabase } from './database'
import { until } from './until'

export type LogLine = LogFields & { readonly level: string; readonly message: string }
export type Answer<Body = Record<string, unknown>> = {
  status: number
  headers: Headers
  body: Body
  text: string
}
type RequestOptions = {
  token?: string
  body?: unknown
  rawBody?: string | Uint8Array<ArrayBuffer> | ReadableStream
  headers?: Record<string, string>
}
type ServerOptions = { database?: TestDatabase; keepMovies?: boolean; timing?: Timing }
export type TestServer = Awaited<ReturnType<typeof startTestServer>>
export type TestUser = { id: number; email: string; password: string; token: string }

export const PASSWORD = 'correct horse battery'
/** Of PASSWORD, so that creating a user doesn't compute a hash. */
const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$ZhjxTzU/jYXzA/VfZNLe/r2t5BMG5K2VjuoNc1HgZa8$fhWp/FFtr6RNJDdU3IXTnLE2KoLy5Wryq+iXXgqoyDU'
export const JWT_SECRET = 'a-secret-for-tests-that-is-long-enough-for-HS256'

export function testConfig(database: Config['database'], overrides: Partial<Config> = {}): Config {
  const defaults = configOf({})
  return {
    ...defaults,
    port: 0,
    publicUrl: 'http://localhost:4000',
    environment: 'test',
    database,
    jwt: { secrets: [JWT_SECRET], ttlSeconds: 3600, sessionTtlSeconds: 720 * 3600 },
    site: { name: 'Redlight', url: 'http://localhost:4000' },
    limiter: { ...defaults.limiter, enabled: false },
    logLevel: 'debug',
    shutdownTimeoutMs: 5000,
    ...overrides,
  }
}

/** The real service on a free port, with a new database or the given one, without the initial movies unless `keepMovies`. */
export async function startTestServer(
  overrides: Partial<Config> = {},
  { database, keepMovies = false, timing = realTime }: ServerOptions = {},
) {
  const own = database ?? (await createFilledDatabase())
  const lines: string[] = []
  const log = createLog('debug', (line) => lines.push(line()))
  const config = testConfig(own.config, overrides)
  const server = await startServer(config, log, timing)
  const sql = own.connect()
  if (!keepMovies && database === undefined) await sql`truncate movies restart identity cascade`
  let users = 0

  async function request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    { token, body, rawBody, headers = {} }: RequestOptions = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(new URL(path, server.url), {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? rawBody : JSON.stringify(body),
      redirect: 'manual',
      // A connection may be closed at the moment of its use, as it was idle; then fetch sends only the other methods again.
      keepalive: method !== 'POST' && method !== 'PATCH',
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : {},
      text,
    } as Answer<Body>
  }

  async function signIn(email: string, password = PASSWORD): Promise<string> {
    const answer = await request<{ authentication_token: { token: string } }>(
      'POST',
      '/v1/tokens/authentication',
      {
        body: { email, password },
      },
    )
    if (answer.status !== 201) throw new Error(`sign-in failed: ${answer.status} ${answer.text}`)
    return answer.body.authentication_token.token
  }

  const jwt = createJwt({
    ...config.jwt,
    secrets: config.jwt.secrets ?? [],
    nowSeconds: () => timing.date() / 1000,
  })
  type UserOptions = { name?: string; username?: string; activated?: boolean; permissions?: Permission[] }

  /** A user as after registration and sign-in, by default activated and with the default permissions. */
  async function newUser({
    name = 'Alice',
    username,
    activated = true,
    permissions,
  }: UserOptions = {}): Promise<TestUser> {
    const email = `user${++users}-${crypto.randomUUID().slice(0, 8)}@example.com`
    const user = { email, password: PASSWORD }
    const granted = permissions ?? config.defaultPermissions
    const [row] = await sql`
      with added as (
        insert into users (name, username, email, password_hash, activated)
        values (${name}, ${username ?? null}, ${email}, ${PASSWORD_HASH}, ${activated})
        returning id, token_generation
      ), granted as (
        insert into users_permissions (user_id, permission)
        select id, permission from added, unnest(string_to_array(${granted.join()}, ',')) as permission
      )
      select id::int, token_generation from added`
    const id = Number(row?.id)
    const { token } = await jwt.sign(id, Number(row?.token_generation))
    return { ...user, id, token }
  }

  /** The metrics after all earlier requests; they are collected twice a second. */
  async function figures<Body = Record<string, unknown>>(path: '/metrics' | '/debug/vars') {
    const gatheredAt = ({ text }: Answer<Body>) => /uptime_seconds"?:? ?([\d.]+)/.exec(text)?.[1]
    const seen = gatheredAt(await request<Body>('GET', path))
    return until(async () => {
      const answer = await request<Body>('GET', path)
      return gatheredAt(answer) !== seen && answer
    })
  }

  /** Every line of the log so far. */
  const logLines = (): LogLine[] => lines.map((line) => JSON.parse(line))

  /** Waits for a mail to this address in the log, and returns its token. */
  async function mailedToken(to: string): Promise<string> {
    return until(() => {
      const mails = logLines().filter((line) => line.message === 'mail' && line.to === to)
      return mails.map(({ text }) => /\b[A-Z2-7]{26}\b/.exec(String(text))?.[0]).findLast(Boolean)
    })
  }

  async function stop() {
    await sql.end()
    await server.stop()
    if (database === undefined) await own.drop()
  }

  return {
    url: server.url,
    routes: server.routes.map(({ method, path }) => `${method} ${path}`),
    request,
    figures,
    signIn,
    newUser,
    logLines,
    mailedToken,
    sql,
    database: own,
    stop,
  }
}

export const aMovie = (title: string, more: Record<string, unknown> = {}) => ({
  title,
  year: 2001,
  runtime: '101 mins',
  genres: ['drama'],
  ...more,
})
