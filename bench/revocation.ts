import postgres from 'postgres'
import { type Measured, median } from './measure'
import type { Server } from './servers'
import { PASSWORD } from './users'
import type { Workplace } from './workplace'

// For how long another instance still lets a user in after the first one has confirmed that it must not.

const TRIALS = 10
const GIVE_UP_MS = 10_000
/** Of two heartbeats, after which both instances trust what they remember again. */
const SETTLE_MS = 600
// A user of its own, as the tokens of the others must last.
const EMAIL = 'revoked@example.com'

type Subject = {
  readonly sql: postgres.Sql
  readonly here: Server
  readonly token: string
  readonly userId: number
}
type Take = (subject: Subject) => Promise<unknown>

const call = ({ port }: Server, method: string, path: string, token?: string, body?: unknown) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      'Content-Type': 'application/json',
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })

async function expectOk(answer: Promise<Response>): Promise<string> {
  const response = await answer
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`)
  return text
}

export const signOut: Take = ({ here, token }) =>
  expectOk(call(here, 'DELETE', '/v1/tokens/authentication', token))

export const resetPassword: Take = async ({ sql, here, userId }) => {
  const token = crypto.randomUUID().replaceAll('-', '').slice(0, 26)
  const hash = new Bun.CryptoHasher('sha256').update(token).digest()
  await sql`insert into tokens (hash, user_id, scope, expires_at)
    values (${hash}, ${userId}, 'password-reset', now() + interval '1 hour')`
  await expectOk(call(here, 'PUT', '/v1/users/password', undefined, { token, password: PASSWORD }))
}

/** As the command line does. */
export const takePermission: Take = ({ sql, userId }) =>
  sql`delete from users_permissions where user_id = ${userId}`

async function insertUser(sql: postgres.Sql, passwordHash: string): Promise<number> {
  const [user] = await sql<{ id: number }[]>`
    insert into users (name, email, password_hash, activated) values ('Revoked', ${EMAIL}, ${passwordHash}, true)
    on conflict (lower(email collate "C")) do update set activated = true returning id::int`
  return user?.id ?? 0
}

/** The slowest of all trials, from the confirmation to the other instance's refusal. */
export function revocation(take: Take, { isCut = false } = {}) {
  return async (workplace: Workplace): Promise<Measured> => {
    const { sql, passwordHash, rounds, progress, redlight: here, freshRedlight } = workplace
    const userId = await insertUser(sql, passwordHash)
    const there = await freshRedlight()
    const times: number[] = []
    try {
      for (let trial = 1; trial <= rounds * TRIALS; trial++) {
        progress(`trial ${trial} of ${rounds * TRIALS}`)
        times.push(await once({ sql, userId, here, there, take, isCut }))
      }
    } finally {
      await there.stop()
    }
    return { value: Math.max(...times), unit: 'ms', note: `median ${median(times).toFixed(1)} ms` }
  }
}

type Trial = Omit<Subject, 'token'> & { there: Server; take: Take; isCut: boolean }

async function once({ sql, userId, here, there, take, isCut }: Trial): Promise<number> {
  await sql`insert into users_permissions (user_id, permission) values (${userId}, 'movies:read') on conflict do nothing`
  const credentials = { email: EMAIL, password: PASSWORD }
  const signIn = call(here, 'POST', '/v1/tokens/authentication', undefined, credentials)
  const token = /"token":"([^"]+)"/.exec(await expectOk(signIn))?.[1] ?? ''
  const isLetIn = async () => (await call(there, 'GET', '/v1/movies/1', token)).ok
  if (isCut) await Bun.sleep(SETTLE_MS)
  await becomes(isLetIn, true)
  try {
    if (isCut) await cutChannel(sql)
    await take({ sql, here, token, userId })
    const confirmedAt = performance.now()
    await becomes(isLetIn, false)
    return performance.now() - confirmedAt
  } finally {
    if (isCut) await allowConnections(sql, true)
  }
}

async function becomes(condition: () => Promise<boolean>, wanted: boolean) {
  const endsAt = performance.now() + GIVE_UP_MS
  while ((await condition()) !== wanted)
    if (performance.now() > endsAt) throw new Error(`the other instance still says ${!wanted}`)
}

/** Ends the connections that listen, and lets nobody connect again. */
async function cutChannel(sql: postgres.Sql) {
  await allowConnections(sql, false)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen %'`
}

async function allowConnections(sql: postgres.Sql, areAllowed: boolean) {
  const [row] = await sql`select quote_ident(current_database()) as name`
  // A database can't be closed from within.
  const { host, port, user } = sql.options
  const admin = postgres(`postgres://${user}@${host[0]}:${port[0]}/postgres`, { max: 1 })
  await admin.unsafe(`alter database ${row?.name} with allow_connections ${areAllowed}`)
  await admin.end()
}
