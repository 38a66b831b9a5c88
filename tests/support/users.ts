import { afterAll, beforeAll } from 'bun:test'
import { startTestServer, type TestServer } from './server'
import { until } from './until'

export type Fields = Record<string, unknown>
export type UserBody = { user: Fields & { id: number } }
export const newAddress = () => `${crypto.randomUUID()}@example.com`
export const COMMON = 'is one of the commonest passwords, please choose another'
export const TOO_SHORT = 'must be at least 8 characters long'

/** The service for the tests of one file, and requests about users. */
export function userService() {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ defaultPermissions: ['movies:read'] })
  })
  afterAll(() => server.stop())

  const register = (fields: Fields) => server.request<UserBody>('POST', '/v1/users', { body: fields })
  const activate = (token: string) => server.request('PUT', '/v1/users/activated', { body: { token } })
  const resetPassword = (token: string, password: string) =>
    server.request('PUT', '/v1/users/password', { body: { token, password } })
  const signIn = (email: string, password: string) =>
    server.request('POST', '/v1/tokens/authentication', { body: { email, password } })

  /** Waits for this many mails with this subject to an address, and returns their tokens. */
  async function mailedTokens(to: string, subject: RegExp, count = 1): Promise<string[]> {
    return until(() => {
      const tokens = server
        .logLines()
        .filter((line) => line.message === 'mail' && line.to === to && subject.test(String(line.subject)))
        .map((line) => /^[A-Z2-7]{26}$/m.exec(String(line.text))?.[0] ?? '')
      return tokens.length >= count && tokens
    })
  }

  /** Inserts a token directly into the database. */
  async function plantToken(userId: number, scope: 'activation' | 'password-reset', lifetime = '1 hour') {
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(26)).map((byte) => 65 + (byte % 26)))
    const hash = new Bun.CryptoHasher('sha256').update(token).digest()
    await server.sql`insert into tokens (hash, user_id, scope, expires_at)
      values (${hash}, ${userId}, ${scope}, now() + ${lifetime}::interval)`
    return token.toString()
  }
  const countTokens = async (userId: number, scope: string) => {
    const [row] =
      await server.sql`select count(*)::int from tokens where user_id = ${userId} and scope = ${scope}`
    return row?.count
  }

  return {
    server: () => server,
    register,
    activate,
    resetPassword,
    signIn,
    mailedTokens,
    plantToken,
    countTokens,
  }
}
