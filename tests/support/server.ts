import type { Config } from '../../src/config/config'
import { connect } from '../../src/db/client'
import { createLog, type LogFields } from '../../src/log'
import { seedMovies } from '../../src/movies/seed-store'
import type { Permission } from '../../src/permissions'
import { startServer } from '../../src/server/server'
import { createTestDatabase, type TestDatabase } from './database'

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
export type TestServer = Awaited<ReturnType<typeof startTestServer>>
export type TestUser = { id: number; email: string; password: string; token: string }

export const PASSWORD = 'correct horse battery'
export const JWT_SECRET = 'a-secret-for-tests-that-is-long-enough-for-HS256'

const noLimits: Config['limiter'] = {
  enabled: false,
  requestsPerSecond: 20,
  burst: 40,
  signInsPerMinute: 30,
  failedSignInsPerMinute: 10,
  accountFailuresPerMinute: 100,
  registrationsPerMinute: 30,
  mailsPerMailboxPerHour: 5,
  mailsPerAddressPerHour: 30,
  exempt: [],
}

export function testConfig(database: Config['database'], overrides: Partial<Config> = {}): Config {
  return {
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://localhost:4000',
    environment: 'test',
    database,
    migrateOnStart: true,
    jwt: { secrets: [JWT_SECRET], ttlSeconds: 3600 },
    smtp: undefined,
    defaultPermissions: ['movies:read', 'movies:write'],
    limiter: noLimits,
    redisUrl: undefined,
    trustedProxies: [],
    metricsNetworks: undefined,
    corsTrustedOrigins: [],
    logLevel: 'debug',
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 5000,
    ...overrides,
  }
}

/** The real service on a port of its own, on a database of its own (or on the one given), without films unless they are to be kept. */
export async function startTestServer(
  overrides: Partial<Config> = {},
  { database, keepFilms = false }: { database?: TestDatabase; keepFilms?: boolean } = {},
) {
  const own = database ?? (await createTestDatabase())
  const lines: string[] = []
  const log = createLog('debug', (line) => lines.push(line()))
  const server = await startServer(testConfig(own.config, overrides), log)
  const sql = own.connect()
  if (keepFilms) await loadFilms(own.config)
  else if (database === undefined) await sql`truncate movies restart identity cascade`
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

  /** A registered user, activated and with all permissions unless told otherwise, who has signed in. */
  async function newUser(
    options: { name?: string; username?: string; activated?: boolean; permissions?: Permission[] } = {},
  ): Promise<TestUser> {
    const { name = 'Alice', username, activated = true, permissions } = options
    const email = `user${++users}-${crypto.randomUUID().slice(0, 8)}@example.com`
    const answer = await request<{ user: { id: number } }>('POST', '/v1/users', {
      body: { name, username, email, password: PASSWORD },
    })
    if (answer.status !== 201) throw new Error(`registration failed: ${answer.status} ${answer.text}`)
    const { id } = answer.body.user
    if (activated) await sql`update users set activated = true where id = ${id}`
    if (permissions !== undefined) {
      await sql`delete from users_permissions where user_id = ${id}`
      for (const permission of permissions)
        await sql`insert into users_permissions values (${id}, ${permission})`
    }
    return { id, email, password: PASSWORD, token: await signIn(email) }
  }

  /** The figures as they are after all that was answered before; they are gathered twice a second. */
  async function figures<Body = Record<string, unknown>>(path: '/metrics' | '/debug/vars') {
    const gatheredAt = ({ text }: Answer<Body>) => /uptime_seconds"?:? ?([\d.]+)/.exec(text)?.[1]
    const seen = gatheredAt(await request<Body>('GET', path))
    for (;;) {
      const answer = await request<Body>('GET', path)
      if (gatheredAt(answer) !== seen) return answer
      await Bun.sleep(20)
    }
  }

  /** Every line of the log so far. */
  const logLines = (): LogLine[] => lines.map((line) => JSON.parse(line))

  /** The newest token that was mailed (to the log) to an address; waits for the mail. */
  async function mailedToken(to: string): Promise<string> {
    for (let tries = 0; tries < 100; tries++) {
      const mail = logLines().findLast((line) => line.message === 'mail' && line.to === to)
      const token = /\b[A-Z2-7]{26}\b/.exec(String(mail?.text ?? ''))?.[0]
      if (token !== undefined) return token
      await Bun.sleep(50)
    }
    throw new Error(`no mail to ${to}`)
  }

  async function stop() {
    await sql.end()
    await server.stop()
    if (database === undefined) await own.drop()
  }

  return {
    url: server.url,
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

/** Only the embedded database has the initial films from its first start. */
async function loadFilms(config: Config['database']) {
  if (config.kind === 'embedded') return
  const { db, close } = connect({ url: config.url }, { poolMax: 1, log: createLog('error', () => {}) })
  await seedMovies(db)
  await close()
}

export const aMovie = (title: string, more: Record<string, unknown> = {}) => ({
  title,
  year: 2001,
  runtime: '101 mins',
  genres: ['drama'],
  ...more,
})
