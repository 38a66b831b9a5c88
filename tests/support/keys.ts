import type { Answer, TestServer, TestUser } from './server'

export type KeyBody = {
  id: number
  name: string
  prefix: string
  created_at: string
  last_used_on: string | null
  key?: string
}

export const makeKey = (
  server: Pick<TestServer, 'request'>,
  { token }: Pick<TestUser, 'token'>,
  name = 'TV',
): Promise<Answer<{ key: KeyBody }>> => server.request('POST', '/v1/keys', { token, body: { name } })

/** A new key, in plain text. */
export async function newKey(
  server: Pick<TestServer, 'request'>,
  user: Pick<TestUser, 'token'>,
): Promise<{ id: number; key: string }> {
  const { status, text, body } = await makeKey(server, user)
  if (status !== 201) throw new Error(`no key was made: ${status} ${text}`)
  return { id: body.key.id, key: body.key.key ?? '' }
}
