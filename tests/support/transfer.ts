import { afterAll, beforeAll } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config'
import { databaseVariables, redlight } from './command-line'
import { startTestServer, type TestServer } from './server'

export type Fields = Readonly<Record<string, unknown>>

export const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** The service without movies for the tests of one file, with imports and exports. */
export function transferService(overrides: Partial<Config> = {}) {
  let server: TestServer
  let folder: string
  let files = 0
  beforeAll(async () => {
    server = await startTestServer(overrides)
    folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const newPath = (name = 'file') => join(folder, `${++files}-${name}`)
  async function write(content: string | Uint8Array | readonly unknown[], name?: string): Promise<string> {
    const path = newPath(name)
    await Bun.write(path, Array.isArray(content) ? lines(content) : (content as string))
    return path
  }
  const env = () => databaseVariables(server.database.config)
  const run = (args: readonly string[], input?: string) => redlight([...args], env(), input)

  return {
    server: () => server,
    env,
    newPath,
    write,
    run,
    /** All movies as stored, without ids and owners. */
    async movies(): Promise<Fields[]> {
      const rows = await server.sql`
        select title, year, runtime, to_json(genres) as genres, director, to_json("cast") as cast,
          release_date::text, synopsis, poster, imdb_id, external_id, version
        from movies order by id`
      return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))
    },
    clear: () => server.sql`truncate movies restart identity cascade`,
  }
}
